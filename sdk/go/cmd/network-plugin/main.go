// Command network-plugin builds components from plugins written in Go:
//
//	go tool network-plugin build [-o plugin.wasm] [package]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"network-host.example/networkplugin/internal/builder"
)

const usage = `usage: network-plugin build [-o file] [package]

  build   builds a component from a Go program, by default the one in the current folder, and prints its size,
          imports and access levels

  -o      the component's file; plugin.wasm by default
`

// Exit codes, as those of go.
const (
	failed  = 1
	misused = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, arguments []string, stdout, stderr io.Writer) int {
	if len(arguments) > 0 && (arguments[0] == "help" || arguments[0] == "-h" || arguments[0] == "--help") {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if len(arguments) == 0 || arguments[0] != "build" {
		fmt.Fprint(stderr, usage)
		return misused
	}
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	output := flags.String("o", "plugin.wasm", "")
	err := flags.Parse(arguments[1:])
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if err == nil && flags.NArg() > 1 {
		err = errors.New("name one package, after the flags")
	}
	if err != nil {
		fmt.Fprintf(stderr, "%v\n\n%s", err, usage)
		return misused
	}
	program := "."
	if flags.NArg() == 1 {
		program = flags.Arg(0)
	}
	built, err := builder.Build(ctx, program, *output, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "network-plugin: %v\n", err)
		return failed
	}
	tell(stdout, built)
	return 0
}

func tell(stdout io.Writer, built builder.Built) {
	fmt.Fprintf(stdout, "plugin   %s, %.1f MB\n", built.Output, float64(built.Bytes)/1e6)
	fmt.Fprintf(stdout, "imports  %s\n", strings.Join(built.Imports, "\n         "))
	fmt.Fprintf(stdout, "levels   %s\n", built.Levels)
}
