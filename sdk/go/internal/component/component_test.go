package component

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"network-host.example/networkplugin/contract"
)

var emptyModule = []byte{0, 'a', 's', 'm', 1, 0, 0, 0}

func TestWhatLacksAnExportOfTheWorldIsRefusedByName(t *testing.T) {
	tools, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close(t.Context())
	_, err = tools.New(t.Context(), emptyModule, contract.WIT(), contract.World)
	if err == nil || !strings.Contains(err.Error(), "local:network-host/handler@1.0.0") {
		t.Error(err)
	}
	_, err = tools.New(t.Context(), []byte("no module"), contract.WIT(), contract.World)
	if err == nil || !strings.HasPrefix(err.Error(), "wasm-tools component-") {
		t.Error(err)
	}
	_, err = tools.New(t.Context(), emptyModule, contract.WIT(), "no-such-world")
	if err == nil || !strings.Contains(err.Error(), "no-such-world") {
		t.Error(err)
	}
}

func TestToolsWorkWithoutAFolderToKeepTheirCodeIn(t *testing.T) {
	t.Setenv("NETWORK_PLUGIN_CACHE", "")
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	tools, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tools.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheirCodeIsKeptWhereTheEnvironmentSays(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("NETWORK_PLUGIN_CACHE", folder)
	tools, err := Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := tools.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if kept, err := os.ReadDir(filepath.Join(folder, "go")); err != nil || len(kept) == 0 {
		t.Error(kept, err)
	}
}

func TestAModuleWithoutAHandlerHasNoLevels(t *testing.T) {
	if _, err := Levels(t.Context(), emptyModule); !errors.Is(err, ErrNoHandler) {
		t.Error(err)
	}
}

func TestImportsOfWhatIsNoComponentAreAnErrorAndNoPanic(t *testing.T) {
	section := func(content ...byte) []byte {
		return append(append(append([]byte{}, preamble...), importSection, byte(len(content))), content...)
	}
	whole := section(1, 0, 3, 'a', ':', 'b', 5, 0)
	if names, err := Imports(whole); err != nil || len(names) != 1 || names[0] != "a:b" {
		t.Error(names, err)
	}
	for end := range len(whole) {
		if end == len(preamble) {
			continue
		}
		if _, err := Imports(whole[:end]); err == nil {
			t.Errorf("%x was accepted", whole[:end])
		}
	}
	for _, content := range [][]byte{{2, 0, 1, 'a', 5, 0}, {1, 0, 9, 'a', 5, 0}, {1, 0, 1, 'a', 1, 0}, {1, 0, 1, 'a', 5}} {
		if _, err := Imports(section(content...)); err == nil {
			t.Errorf("%x was accepted", content)
		}
	}
}
