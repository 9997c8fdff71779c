// Package contract embeds the WIT of local:network-host@1.0.0 and of the packages of WASI 0.2.0 that it uses.
package contract

import (
	"embed"
	"io/fs"
)

// World is the name of the world that plugins implement.
const World = "network-plugin"

//go:embed wit
var files embed.FS

// WIT returns the contract's files, with its dependencies in deps.
func WIT() fs.FS {
	folder, err := fs.Sub(files, "wit")
	if err != nil {
		// The folder is embedded: it exists.
		panic(err)
	}
	return folder
}
