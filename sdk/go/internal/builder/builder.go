// Package builder makes a component of an author's program: by go build, and by wasm-tools.
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

// Built is what came of a build.
type Built struct {
	Output  string
	Bytes   int
	Imports []string
	Levels  networkplugin.AccessLevels
}

// Error is what the author can mend. What go build said went to standard error before.
type Error string

// Error has the text.
func (text Error) Error() string { return string(text) }

const advice = `call networkplugin.Export in an init function:

	func init() { networkplugin.Export(hello{}) }

	func main() {}`

// The same bytes on every machine. checklinkname: the bindings' runtime allocates by runtime.sbrk before Go is there.
var goBuild = []string{"build", "-buildvcs=false", "-trimpath", "-buildmode=c-shared", "-ldflags=-s -w -checklinkname=0"}

// Later versions of WebAssembly's instructions are used where the author has chosen them by GOWASM.
var goEnvironment = []string{"GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0"}

// Build makes the component of a package, which is named as go build takes it, and writes it to output. What go build says goes to
// stderr. Its errors are of type [Error] where the author can mend them.
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

// What is the author's choice comes before what Go itself imports.
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

// compile has Go make a reactor for WASI 0.1.
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
		return nil, Error(fmt.Sprintf("%s is no program: a plugin is a package main", program))
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
		return 0, Error(fmt.Sprintf("AccessLevels returned %#b: there are no other levels than %s", answer, all))
	}
	return levels, nil
}

// replace writes the whole file or none: a replica may be watching it.
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
