package builder

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"network-host.example/networkplugin/internal/component"
)

func TestBuildMakesAComponentThatImportsWhatIsUsed(t *testing.T) {
	output := filepath.Join(t.TempDir(), "battery.wasm")
	var said bytes.Buffer
	built, err := Build(t.Context(), "./testdata/battery", output, &said)
	if err != nil {
		t.Fatal(err, said.String())
	}
	if levels := built.Levels.String(); levels != "key-value-read, key-value-write, outbound-http" {
		t.Error("levels:", levels)
	}
	content, err := os.ReadFile(output)
	if err != nil || len(content) != built.Bytes {
		t.Error(len(content), err)
	}
	if imports, err := component.Imports(content); err != nil || len(imports) != len(built.Imports) {
		t.Error(imports, err)
	}
	first := []string{
		"local:network-host/logging@1.0.0", "local:network-host/key-value-store@1.0.0", "local:network-host/types@1.0.0",
	}
	got := slices.Sorted(slices.Values(built.Imports[:3]))
	if want := slices.Sorted(slices.Values(first)); !slices.Equal(got, want) {
		t.Error("first imports:", got)
	}
	if !strings.HasPrefix(built.Imports[3], "wasi:http/") {
		t.Error("after the contract's:", built.Imports[3])
	}
}

func TestBuildSaysWhatTheAuthorCanMend(t *testing.T) {
	for program, says := range map[string]string{
		"no-import": "the program does not import networkplugin; call networkplugin.Export in an init function",
		"no-plugin": "the program exports no plugin; call networkplugin.Export in an init function",
		"in-main":   "the program exports no plugin; call networkplugin.Export in an init function",
		"panics":    "panic: too early",
		"asks-host": "local:network-host/key-value-store@1.0.0 [constructor]key-value-store was called before the first request",
		"levels":    "AccessLevels returned 0b1001: the only levels are key-value-read, key-value-write, outbound-http",
		"library":   "./testdata/library is not a program: a plugin is a package main",
		"mistake":   "go build ./testdata/mistake: exit status 1",
		"not-there": "go build ./testdata/not-there: exit status 1",
	} {
		t.Run(program, func(t *testing.T) {
			output := filepath.Join(t.TempDir(), "plugin.wasm")
			var said bytes.Buffer
			_, err := Build(t.Context(), "./testdata/"+program, output, &said)
			if text := Error(""); !errors.As(err, &text) || !strings.Contains(err.Error(), says) {
				t.Errorf("it said %v, after %s", err, said.String())
			}
			if program == "mistake" && !strings.Contains(said.String(), "main.go:4:2: undefined: undefined") {
				t.Error("go build said", said.String())
			}
			if _, err := os.Stat(output); !os.IsNotExist(err) {
				t.Error("something was written:", err)
			}
		})
	}
}

func TestAProgramThatIsNeverInitialisedIsGivenUp(t *testing.T) {
	core, err := compile(t.Context(), "./testdata/endless", os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := ask(ctx, core); err == nil || !strings.Contains(err.Error(), "it was not initialised within") {
		t.Error(err)
	}
}

func TestAnOutputThatCannotBeWrittenIsSaid(t *testing.T) {
	if err := replace(filepath.Join(t.TempDir(), "absent", "plugin.wasm"), nil); !os.IsNotExist(err) {
		t.Error(err)
	}
}
