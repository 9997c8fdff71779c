# add_network_plugin(<name> <source>...): makes <name>.wasm in the build folder, a component of the contract.
#
# C is compiled as C17 and C++ as C++20 without exceptions unless the project says otherwise. `wasm-tools` is taken from
# WASM_TOOLS, from PATH, or from PyPI, into the build folder.

include("${CMAKE_CURRENT_LIST_DIR}/pypi.cmake")

function(network_plugin_find_wasm_tools)
  if(NETWORK_PLUGIN_WASM_TOOLS)
    return()
  endif()
  find_program(found_wasm_tools NAMES wasm-tools HINTS "$ENV{WASM_TOOLS}")
  if(NOT found_wasm_tools)
    network_plugin_pypi_environment(environment)
    set(found_wasm_tools "${environment}/bin/wasm-tools")
  endif()
  set(NETWORK_PLUGIN_WASM_TOOLS "${found_wasm_tools}" CACHE FILEPATH "wasm-tools, which makes components")
endfunction()

function(add_network_plugin name)
  cmake_path(SET package NORMALIZE "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..")
  if(NOT ARGN)
    message(FATAL_ERROR "add_network_plugin(${name}) names no source")
  endif()
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "wasm32")
    message(FATAL_ERROR "The compiler is for ${CMAKE_SYSTEM_PROCESSOR}. Name a toolchain for WebAssembly: "
      "cmake -DCMAKE_TOOLCHAIN_FILE=${package}cmake/zig.cmake ...")
  endif()
  network_plugin_find_wasm_tools()
  # The bindings are C.
  enable_language(C)

  add_executable(${name} ${ARGN}
    "${package}generated/network_plugin.c"
    "${package}generated/network_plugin_component_type.o")
  target_include_directories(${name} PRIVATE "${package}include" "${package}generated")
  target_compile_features(${name} PRIVATE c_std_17)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_20)
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  endif()
  # Small unless a build type says what else matters.
  target_compile_options(${name} PRIVATE $<$<CONFIG:>:-Oz> -ffunction-sections -fdata-sections)
  # A reactor has no main: the host calls its exports. What of the bindings is not used is left out.
  target_link_options(${name} PRIVATE -mexec-model=reactor -Wl,--gc-sections $<$<NOT:$<CONFIG:Debug>>:-Wl,--strip-all>)
  set_target_properties(${name} PROPERTIES SUFFIX ".core.wasm")

  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND "${NETWORK_PLUGIN_WASM_TOOLS}" component new "$<TARGET_FILE:${name}>"
      --adapt "wasi_snapshot_preview1=${package}adapter/wasi_snapshot_preview1.reactor.wasm"
      --output "${CMAKE_CURRENT_BINARY_DIR}/${name}.wasm"
    BYPRODUCTS "${CMAKE_CURRENT_BINARY_DIR}/${name}.wasm"
    COMMENT "Making the component ${name}.wasm"
    VERBATIM)
endfunction()
