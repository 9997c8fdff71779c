// Package builder turns an author's program into a component, with go build and wasm-tools.
package builder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"network-host.example/networkplugin"
	"network-host.example/networkplugin/contract"
	"network-host.example/networkplugin/internal/component"
)

// Built describes a finished component.
type Built struct {
	Output  string
	Bytes   int
	Imports []string
	Levels  networkplugin.AccessLevels
}

// Error is a mistake that the author can fix. If go build failed, its own messages are on standard error.
type Error string

// Error returns the text.
func (text Error) Error() string { return string(text) }

const advice = `call networkplugin.Export in an init function:

	func init() { networkplugin.Export(hello{}) }

	func main() {}`

// Reproducible: the same bytes on every machine. checklinkname: the bindings' runtime calls runtime.sbrk, which it needs to
// allocate memory before Go's runtime is initialised.
var goBuild = []string{"build", "-buildvcs=false", "-trimpath", "-buildmode=c-shared", "-ldflags=-s -w -checklinkname=0"}

// GOFLAGS, GOWASM and GOWORK stay the author's choice.
var goEnvironment = []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}

// Build compiles a package, named as for go build, to a component and writes it to output. Messages of go build go to stderr.
// Errors that the author can fix are of type [Error].
func Build(ctx context.Context, program, output string, stderr io.Writer) (Built, error) {
	core, err := compile(ctx, program, stderr)
	if err != nil {
		return Built{}, err
	}
	levels, err := ask(ctx, core)
	if err != nil {
		return Built{}, err
	}
	tools, err := component.Open(ctx)
	if err != nil {
		return Built{}, err
	}
	defer tools.Close(context.WithoutCancel(ctx))
	made, err := tools.New(ctx, core, contract.WIT(), contract.World)
	if err != nil {
		return Built{}, err
	}
	imports, err := component.Imports(made)
	if err != nil {
		return Built{}, err
	}
	slices.SortStableFunc(imports, func(one, other string) int { return rankOf(one) - rankOf(other) })
	if err := replace(output, made); err != nil {
		return Built{}, err
	}
	return Built{Output: output, Bytes: len(made), Imports: imports, Levels: levels}, nil
}

// The interfaces that the author's code uses come before those that every program in Go imports.
func rankOf(imported string) int {
	switch {
	case strings.HasPrefix(imported, "local:network-host/"):
		return 0
	case strings.HasPrefix(imported, "wasi:http/"):
		return 1
	default:
		return 2
	}
}

// compile runs go build, which makes a reactor for WASI 0.1.
func compile(ctx context.Context, program string, stderr io.Writer) ([]byte, error) {
	folder, err := os.MkdirTemp("", "network-plugin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	output := filepath.Join(folder, "core.wasm")
	arguments := append(append([]string{}, goBuild...), "-o", output, program)
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Env = append(os.Environ(), goEnvironment...)
	var said bytes.Buffer
	command.Stderr = io.MultiWriter(stderr, &said)
	if err := command.Run(); errors.Is(err, exec.ErrNotFound) {
		return nil, Error("go was not found on PATH")
	} else if err != nil && strings.Contains(said.String(), "requires exactly one main package") {
		return nil, Error(fmt.Sprintf("%s is not a program: a plugin is a package main", program))
	} else if err != nil {
		return nil, Error(fmt.Sprintf("go build %s: %v", program, err))
	}
	return os.ReadFile(output)
}

// ask starts the program and asks it for its access levels.
func ask(ctx context.Context, core []byte) (networkplugin.AccessLevels, error) {
	answer, err := component.Levels(ctx, core)
	var failed *component.StartError
	switch {
	case errors.Is(err, component.ErrNoHandler):
		return 0, Error("the program does not import networkplugin; " + advice)
	case errors.As(err, &failed) && strings.Contains(failed.Said, "no plugin was exported"):
		return 0, Error("the program exports no plugin; " + advice)
	case errors.As(err, &failed):
		return 0, Error("the plugin does not start:\n" + failed.Error())
	case err != nil:
		return 0, err
	}
	levels := networkplugin.AccessLevels(answer)
	all := networkplugin.KeyValueRead | networkplugin.KeyValueWrite | networkplugin.OutboundHTTP
	if levels&^all != 0 {
		return 0, Error(fmt.Sprintf("AccessLevels returned %#b: the only levels are %s", answer, all))
	}
	return levels, nil
}

// replace writes the file whole or not at all: a replica may be watching it.
func replace(output string, content []byte) error {
	unfinished, err := os.CreateTemp(filepath.Dir(output), ".network-plugin-")
	if err != nil {
		return err
	}
	_, err = unfinished.Write(content)
	err = errors.Join(err, unfinished.Chmod(0o644), unfinished.Close())
	if err == nil {
		err = os.Rename(unfinished.Name(), output)
	}
	if err != nil {
		return errors.Join(err, os.Remove(unfinished.Name()))
	}
	return nil
}
