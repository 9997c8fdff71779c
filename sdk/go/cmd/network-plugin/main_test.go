package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	for _, test := range []struct {
		arguments string
		code      int
		stdout    string
		stderr    string
	}{
		{"help", 0, "usage: network-plugin build", ""},
		{"build -h", 0, "usage: network-plugin build", ""},
		{"", misused, "", "usage: network-plugin build"},
		{"make", misused, "", "usage: network-plugin build"},
		{"build -x", misused, "", "flag provided but not defined: -x"},
		{"build one two", misused, "", "name one package, after the flags"},
		{"build ./absent", failed, "", "network-plugin: go build ./absent: exit status 1"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), strings.Fields(test.arguments), &stdout, &stderr)
		if code != test.code || !strings.Contains(stdout.String(), test.stdout) ||
			!strings.Contains(stderr.String(), test.stderr) || (test.stderr == "") != (stderr.Len() == 0) {
			t.Errorf("%s: %d, %s, %s", test.arguments, code, stdout.String(), stderr.String())
		}
	}
}

func TestBuildTellsSizeImportsAndLevels(t *testing.T) {
	output := filepath.Join(t.TempDir(), "battery.wasm")
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"build", "-o", output, "../../internal/builder/testdata/battery"}, &stdout, &stderr)
	want := regexp.MustCompile(`^plugin   \S+battery\.wasm, \d+\.\d MB
imports  local:network-host/[^\n]+
(         \S+\n)+levels   key-value-read, key-value-write, outbound-http\n$`)
	if code != 0 || stderr.Len() != 0 || !want.Match(stdout.Bytes()) {
		t.Error(code, stdout.String(), stderr.String())
	}
}
