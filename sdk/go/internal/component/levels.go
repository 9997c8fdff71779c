package component

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

const (
	handlerName = "local:network-host/handler@1.0.0#"
	// A function that the adapter adds to WASI 0.1, for Go's garbage collector.
	pauseClock = "adapter_monotonic_clock_set_paused"

	// MaxStart limits the time that a plugin takes to be initialised and to return its levels.
	MaxStart = time.Minute
)

// ErrNoHandler means that the program does not import the package networkplugin.
var ErrNoHandler = errors.New("the program has no handler")

// StartError is the failure of a plugin that does not start, or does not return its access levels.
type StartError struct {
	// Said is the plugin's output, such as a panic and its goroutines.
	Said  string
	cause error
}

// Error returns the plugin's output, or the cause if it wrote nothing.
func (err *StartError) Error() string {
	if text := strings.TrimSpace(err.Said); text != "" {
		return text
	}
	return err.cause.Error()
}

// Levels starts a core module and asks for its access levels. Calling the host ends it: nothing is there yet.
func Levels(ctx context.Context, core []byte) (uint8, error) {
	ctx, cancel := context.WithTimeout(ctx, MaxStart)
	defer cancel()
	// An interpreter is faster than a compiler for code that runs once.
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCloseOnContextDone(true))
	defer runtime.Close(context.WithoutCancel(ctx))
	compiled, err := runtime.CompileModule(ctx, core)
	if err != nil {
		return 0, err
	}
	if compiled.ExportedFunctions()[handlerName+"get-access-levels"] == nil {
		return 0, ErrNoHandler
	}
	if err := standIn(ctx, runtime, compiled); err != nil {
		return 0, err
	}
	var said bytes.Buffer
	// Code that runs before the first request may read clocks and random values.
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithStdout(&said).WithStderr(&said).
		WithSysWalltime().WithSysNanotime().WithSysNanosleep()
	module, err := runtime.InstantiateModule(ctx, compiled, config)
	if err != nil {
		return 0, startError(ctx, said.String(), err)
	}
	levels, err := module.ExportedFunction(handlerName + "get-access-levels").Call(ctx)
	if err != nil {
		return 0, startError(ctx, said.String(), err)
	}
	return uint8(levels[0]), nil
}

func startError(ctx context.Context, said string, err error) error {
	if ctx.Err() != nil {
		err = fmt.Errorf("it was not initialised within %s", MaxStart)
	}
	return &StartError{said, err}
}

// standIn defines the module's imports: WASI 0.1, and for the host's interfaces functions that end the module.
func standIn(ctx context.Context, runtime wazero.Runtime, compiled wazero.CompiledModule) error {
	builders := map[string]wazero.HostModuleBuilder{}
	wasi := runtime.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(wasi)
	wasi.NewFunctionBuilder().WithFunc(func(context.Context, uint32) {}).Export(pauseClock)
	builders[wasi_snapshot_preview1.ModuleName] = wasi
	for _, function := range compiled.ImportedFunctions() {
		module, name, _ := function.Import()
		if module == wasi_snapshot_preview1.ModuleName {
			continue
		}
		if builders[module] == nil {
			builders[module] = runtime.NewHostModuleBuilder(module)
		}
		refuse := func(context.Context, []uint64) {
			panic(fmt.Errorf("%s %s was called before the first request: only HandleRequest can use the host", module, name))
		}
		builders[module].NewFunctionBuilder().
			WithGoFunction(api.GoFunc(refuse), function.ParamTypes(), function.ResultTypes()).Export(name)
	}
	for _, builder := range builders {
		if _, err := builder.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}
