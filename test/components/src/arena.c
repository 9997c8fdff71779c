// An allocator of a few instructions, in place of the C library's, which would be most of a component.
//
// Blocks lie one after the other; only the last one is ever taken back. A plugin's state lasts one request.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PAGE_BYTES 65536
#define ALIGNMENT 8

extern uint8_t __heap_base;

static uintptr_t end;
static uintptr_t last;

void *malloc(size_t size) {
  if (end == 0) end = (uintptr_t)&__heap_base;
  uintptr_t start = (end + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
  uint64_t wanted = (uint64_t)start + size;
  uint64_t held = (uint64_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
  if (wanted > held) {
    uint64_t pages = (wanted - held + PAGE_BYTES - 1) / PAGE_BYTES;
    if (pages > UINT16_MAX || __builtin_wasm_memory_grow(0, (size_t)pages) == SIZE_MAX) __builtin_trap();
  }
  end = (uintptr_t)wanted;
  last = start;
  return (void *)start;
}

void free(void *block) {
  if (block && (uintptr_t)block == last) end = last;
}

// The one caller, `cabi_realloc`, never enlarges a block for the host; it passes a null one.
void *realloc(void *block, size_t size) {
  if (block) __builtin_trap();
  return malloc(size);
}

_Noreturn void abort(void) {
  __builtin_trap();
}
