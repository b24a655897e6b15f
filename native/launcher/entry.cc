// Where the executable begins, before the C library's _start, which knows nothing of it.
//
// Variables are of no file: tools/anonymous-data.ts, run when the executable is linked, makes their segment
// one of memory only, and what they begin with constants at another address, from where they are copied here.
// So every page of a variable is made once and is never in the way: become_in_place() would otherwise have to
// copy each once more and to move it to where it was, 0.3 of the 12 ms that a `run` takes on a slow machine.
// Relocation comes after this (glibc, _dl_relocate_static_pie): nothing but addresses relative to the
// instruction may be used, and every register that the kernel or _start gives a meaning has to stay (System V
// ABI, AMD64, "Process Initialization": %rsp, %rdx).
#if defined(__x86_64__)
asm(R"(
  .section .text.tsrunc_entry, "ax", @progbits
  .globl tsrunc_entry
  .hidden tsrunc_entry
  .type tsrunc_entry, @function
tsrunc_entry:
  endbr64
  movq .Ldata_size(%rip), %rcx
  testq %rcx, %rcx
  jz .Lnot_anonymous
  leaq __ehdr_start(%rip), %rax
  movq .Ldata_from(%rip), %rsi
  addq %rax, %rsi
  movq .Ldata_to(%rip), %rdi
  addq %rax, %rdi
  rep movsb
.Lnot_anonymous:
  jmp _start
  .balign 8
  .ascii "tsrunc data at: "
.Ldata_size: .quad 0
.Ldata_from: .quad 0
.Ldata_to: .quad 0
  .size tsrunc_entry, . - tsrunc_entry
)");
#endif
