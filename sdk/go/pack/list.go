package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// list adds a version to the list of a proxy.
func list(path, version string) error {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	versions := strings.Fields(string(content))
	if !slices.Contains(versions, version) {
		versions = append(versions, version)
	}
	semver.Sort(versions)
	return os.WriteFile(path, []byte(strings.Join(versions, "\n")+"\n"), 0o644)
}
