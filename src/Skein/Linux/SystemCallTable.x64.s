# The whole program of a child between clone3 and execve; its bytes stand in SystemCallTable.Code.cs, a test assembles and compares.
# It uses no stack, no thread-local storage and no library: the child shares the memory of a running .NET process.
#
# long start(struct clone_args *arguments, size_t size, struct entry *table, struct report *report)
#
# entry (80 bytes): 0 number | 8..48 six arguments | 56 address that receives the result, or 0 | 64 flags | 72 expected result
# flags:  bits 0-5: this argument is the address of its value    bit 8: failure does not matter    bit 9: any other result than expected is a failure
# report: 0 error number | 8 address of the entry that failed
.intel_syntax noprefix
.globl start
start:
  endbr64
  mov r8, rdx
  mov r9, rcx
  mov eax, 435                # clone3 keeps every register but rax, rcx and r11, in the child too
  syscall
  test rax, rax
  jz child
  ret                         # parent: the child's id, or minus the error number
child:
  mov rbx, r8                 # rbx: current entry
  mov rbp, r9                 # rbp: report
entry:
  mov rax, [rbx]
  mov rdi, [rbx+8]
  mov rsi, [rbx+16]
  mov rdx, [rbx+24]
  mov r10, [rbx+32]
  mov r8,  [rbx+40]
  mov r9,  [rbx+48]
  mov r12d, [rbx+64]          # r12: flags
  test r12b, 1
  jz 1f
  mov rdi, [rdi]
1:test r12b, 2
  jz 1f
  mov rsi, [rsi]
1:test r12b, 4
  jz 1f
  mov rdx, [rdx]
1:test r12b, 8
  jz 1f
  mov r10, [r10]
1:test r12b, 16
  jz 1f
  mov r8, [r8]
1:test r12b, 32
  jz 1f
  mov r9, [r9]
1:syscall
  mov rcx, [rbx+56]
  test rcx, rcx
  jz 1f
  mov [rcx], rax
1:cmp rax, -4095
  jae failed
  test r12d, 0x200
  jz next
  cmp rax, [rbx+72]
  je next
  mov rax, -3                 # ESRCH
  jmp report
failed:
  test r12d, 0x100
  jz report
next:
  add rbx, 80
  jmp entry
report:
  neg rax
  mov [rbp], rax
  mov [rbp+8], rbx
  mov edi, 127
  mov eax, 231                # exit_group
  syscall
  ud2
