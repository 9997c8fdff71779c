package networkplugin

// LogLevel is the severity of a log line.
type LogLevel uint8

// The severities.
const (
	LevelInfo LogLevel = iota
	LevelWarning
	LevelError
)

// String returns the level's name in the contract.
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

// Log writes a line to the host's log, which adds the plugin's name and the request's id. Standard output and standard error go to
// the same log.
func Log(level LogLevel, message string) { log(min(level, LevelError), valid(message)) }
