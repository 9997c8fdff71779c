package networkplugin

// LogLevel is how grave a line of the log is.
type LogLevel uint8

// The levels of the contract.
const (
	LevelInfo LogLevel = iota
	LevelWarning
	LevelError
)

// String is the level's name in the contract.
func (level LogLevel) String() string {
	switch level {
	case LevelInfo:
		return "info"
	case LevelWarning:
		return "warning"
	default:
		return "error"
	}
}

// Log writes a line to the host's log, which adds the plugin's name and the request's id. What a plugin writes to standard output
// and standard error is in that log, too.
func Log(level LogLevel, message string) { log(min(level, LevelError), valid(message)) }
