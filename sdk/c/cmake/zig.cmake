# A toolchain for WebAssembly that needs Python alone: Zig's compiler of C and C++, from PyPI, which brings clang, libc and
# libc++. With a WASI SDK, name that one's own toolchain file in place of this one.

# Compilers are tried out in projects of their own: they are told where the toolchain is.
if(NOT DEFINED NETWORK_PLUGIN_TOOLCHAIN_FOLDER)
  set(NETWORK_PLUGIN_TOOLCHAIN_FOLDER "${CMAKE_BINARY_DIR}/c-toolchain")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NETWORK_PLUGIN_TOOLCHAIN_FOLDER)
include("${CMAKE_CURRENT_LIST_DIR}/pypi.cmake")
network_plugin_pypi_environment(environment)

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER "${environment}/bin/zig-cc")
set(CMAKE_CXX_COMPILER "${environment}/bin/zig-c++")
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
# The tools of the machine cannot read WebAssembly.
set(CMAKE_AR "${environment}/bin/zig-ar")
set(CMAKE_RANLIB "${environment}/bin/zig-ranlib")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
