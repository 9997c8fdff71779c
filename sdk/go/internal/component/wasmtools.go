// Package component turns core modules into WebAssembly components, and reads their imports.
//
// It runs wasm-tools in the form that jco ships: a core module that imports only WASI 0.1. Calls follow the component model's
// canonical ABI.
package component

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

//go:embed wasm-tools.core.wasm
var wasmTools []byte

//go:embed wasi_snapshot_preview1.reactor.wasm
var adapter []byte

const (
	adapterName   = "wasi_snapshot_preview1"
	functionNames = "local:wasm-tools/tools#"
)

// The record embed-opts of jco's wasm-tools: the offsets of the fields that are set here, and its size. Every field is an option.
const (
	embedBinary     = 0
	embedWitPath    = 24
	embedWorld      = 40
	embedOptionSize = 80
)

const witFolder = "/wit"

// Tools are wasm-tools, compiled.
type Tools struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

// Names a folder that the packages of all languages share.
const cacheVariable = "NETWORK_PLUGIN_CACHE"

// Open compiles wasm-tools. It keeps the machine code in the folder that NETWORK_PLUGIN_CACHE names, or in the user's cache folder.
// The caller closes the tools.
func Open(ctx context.Context) (*Tools, error) {
	config := wazero.NewRuntimeConfig().WithCloseOnContextDone(true)
	if cache := openCache(); cache != nil {
		config = config.WithCompilationCache(cache)
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	_, err := wasi_snapshot_preview1.Instantiate(ctx, runtime)
	if err != nil {
		return nil, errors.Join(err, runtime.Close(ctx))
	}
	compiled, err := runtime.CompileModule(ctx, wasmTools)
	if err != nil {
		return nil, errors.Join(err, runtime.Close(ctx))
	}
	return &Tools{runtime, compiled}, nil
}

// openCache returns nil if no folder can be used. The tools are then compiled each time, which takes some seconds.
func openCache() wazero.CompilationCache {
	folder := os.Getenv(cacheVariable)
	if folder == "" {
		users, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		folder = filepath.Join(users, "network-plugin")
	}
	cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(folder, "go"))
	if err != nil {
		return nil
	}
	return cache
}

// Close releases the tools.
func (tools *Tools) Close(ctx context.Context) error { return tools.runtime.Close(ctx) }

// New turns a core module for WASI 0.1 into a component of the named world. The component imports only what the module
// uses.
func (tools *Tools) New(ctx context.Context, core []byte, wit fs.FS, world string) ([]byte, error) {
	embedded, err := tools.embed(ctx, core, wit, world)
	if err != nil {
		return nil, err
	}
	call, err := tools.begin(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer call.end()
	list := call.allocate(4, 16)
	call.putBytes(list, []byte(adapterName))
	call.putBytes(list+8, adapter)
	binary := call.put(embedded)
	return call.bytesOf("component-new", uint64(binary), uint64(len(embedded)), 1, uint64(list), 1)
}

// embed adds the type of the world to a core module.
func (tools *Tools) embed(ctx context.Context, core []byte, wit fs.FS, world string) ([]byte, error) {
	call, err := tools.begin(ctx, wit)
	if err != nil {
		return nil, err
	}
	defer call.end()
	options := call.allocate(4, embedOptionSize)
	call.write(options, make([]byte, embedOptionSize))
	call.putSome(options+embedBinary, core)
	call.putSome(options+embedWitPath, []byte(witFolder))
	call.putSome(options+embedWorld, []byte(world))
	return call.bytesOf("component-embed", uint64(options))
}

// call is one function call, on its own instance. After the first error its methods do nothing.
type call struct {
	ctx    context.Context
	module api.Module
	err    error
}

func (tools *Tools) begin(ctx context.Context, wit fs.FS) (*call, error) {
	config := wazero.NewModuleConfig().WithName("").WithStderr(os.Stderr)
	if wit != nil {
		config = config.WithFSConfig(wazero.NewFSConfig().WithFSMount(wit, witFolder))
	}
	module, err := tools.runtime.InstantiateModule(ctx, tools.compiled, config)
	if err != nil {
		return nil, fmt.Errorf("wasm-tools: %w", err)
	}
	return &call{ctx: ctx, module: module}, nil
}

// An instance that cannot be closed ends with the runtime.
func (call *call) end() { _ = call.module.Close(call.ctx) }

func (call *call) allocate(align, size int) uint32 {
	if call.err != nil {
		return 0
	}
	results, err := call.module.ExportedFunction("cabi_realloc").Call(call.ctx, 0, 0, uint64(align), uint64(size))
	if err != nil {
		call.err = err
		return 0
	}
	return uint32(results[0])
}

func (call *call) write(at uint32, content []byte) {
	if call.err == nil && !call.module.Memory().Write(at, content) {
		call.err = errors.New("an address out of bounds")
	}
}

func (call *call) writeNumber(at, value uint32) {
	if call.err == nil && !call.module.Memory().WriteUint32Le(at, value) {
		call.err = errors.New("an address out of bounds")
	}
}

func (call *call) put(content []byte) uint32 {
	at := call.allocate(1, len(content))
	call.write(at, content)
	return at
}

// putBytes writes a list or a string: address and length.
func (call *call) putBytes(at uint32, content []byte) {
	call.writeNumber(at, call.put(content))
	call.writeNumber(at+4, uint32(len(content)))
}

// putSome writes an option with a list or a string in it.
func (call *call) putSome(at uint32, content []byte) {
	call.writeNumber(at, 1)
	call.putBytes(at+4, content)
}

// bytesOf calls a function that returns result<list<u8>, string>.
func (call *call) bytesOf(function string, arguments ...uint64) ([]byte, error) {
	if call.err != nil {
		return nil, fmt.Errorf("wasm-tools: %w", call.err)
	}
	results, err := call.module.ExportedFunction(functionNames+function).Call(call.ctx, arguments...)
	if err != nil {
		return nil, fmt.Errorf("wasm-tools %s: %w", function, err)
	}
	memory := call.module.Memory()
	at := uint32(results[0])
	tag, hasTag := memory.ReadByte(at)
	place, hasPlace := memory.ReadUint32Le(at + 4)
	length, hasLength := memory.ReadUint32Le(at + 8)
	content, hasContent := memory.Read(place, length)
	if !hasTag || !hasPlace || !hasLength || !hasContent {
		return nil, fmt.Errorf("wasm-tools %s: the result is out of bounds", function)
	}
	if tag != 0 {
		return nil, fmt.Errorf("wasm-tools %s: %s", function, content)
	}
	// A copy: the memory ends with the instance.
	return append([]byte{}, content...), nil
}
