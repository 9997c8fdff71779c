//go:build !wasip1

package networkplugin

import (
	"fmt"
	"os"
)

func log(level LogLevel, message string) { fmt.Fprintf(os.Stderr, "%s: %s\n", level, message) }
