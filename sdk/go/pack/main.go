// Command pack packs the module around it as module proxies serve it: go run -C <this folder> . <folder> <version>.
//
// GOPROXY=file://<folder> then has that version. A folder that exists keeps its other versions. The command is a module of its own,
// so that its dependencies are not those of authors.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/zip"
)

// Files that Git ignores, and that the module embeds.
var binaries = []string{
	"internal/component/wasm-tools.core.wasm",
	"internal/component/wasi_snapshot_preview1.reactor.wasm",
}

func main() {
	if len(os.Args) != 3 || !semver.IsValid(os.Args[2]) {
		fmt.Fprintln(os.Stderr, "usage: go run . <folder> <version, such as v1.0.0>")
		os.Exit(2)
	}
	written, err := pack("..", os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(written)
}

// pack writes the files of a version, as described by "go help goproxy". It returns the path of the archive.
func pack(source, proxy, version string) (written string, err error) {
	for _, name := range binaries {
		if _, err := os.Stat(filepath.Join(source, name)); err != nil {
			return "", fmt.Errorf("%s is missing: run npm run build", name)
		}
	}
	moduleFile, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return "", err
	}
	packed := module.Version{Path: modfile.ModulePath(moduleFile), Version: version}
	escaped, err := module.EscapePath(packed.Path)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(proxy, escaped, "@v")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	written = filepath.Join(folder, version+".zip")
	if err := archive(written, packed, source); err != nil {
		return "", err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return "", err
	}
	return written, errors.Join(
		os.WriteFile(filepath.Join(folder, version+".info"), info, 0o644),
		os.WriteFile(filepath.Join(folder, version+".mod"), moduleFile, 0o644),
		list(filepath.Join(folder, "list"), version),
	)
}

// archive follows Go's own rules for what belongs to a module.
func archive(path string, packed module.Version, source string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return zip.CreateFromDir(file, packed, source)
}
