// Package contract has the WIT of local:network-host@1.0.0 and of what it uses of WASI 0.2.0.
package contract

import (
	"embed"
	"io/fs"
)

// World is the name of the world that a plugin is of.
const World = "network-plugin"

//go:embed wit
var files embed.FS

// WIT returns the folder of the package, with what it uses below deps.
func WIT() fs.FS {
	folder, err := fs.Sub(files, "wit")
	if err != nil {
		// It is embedded.
		panic(err)
	}
	return folder
}
