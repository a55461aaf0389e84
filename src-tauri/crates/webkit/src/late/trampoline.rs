//! A few instructions that pass a call on, whatever its arguments are: they are where the caller put them.
//!
//! A trampoline jumps to what its slot holds. If that is nothing yet, it leaves the slot's place in a register that holds no
//! argument, and goes to [`resolve`]. That one keeps all registers that may hold one, asks [`super::bind`] and jumps; what lies on
//! the stack stays where it is. For a few functions it is [`zero`] instead.
//!
//! **Invariant:** the names are hidden. If other libraries found them, WebKit would call into itself through here, and while it is
//! being loaded that would not end.

use std::arch::naked_asm;

/// Defines the function of that name.
#[cfg(target_arch = "x86_64")]
macro_rules! trampoline {
    ($name:ident, $place:expr, $slots:path, $before:path) => {
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        extern "C" fn $name() {
            std::arch::naked_asm!(
                concat!(".hidden ", stringify!($name)),
                "mov r11, qword ptr [rip + {slots} + {place} * 8]",
                "test r11, r11",
                "je 2f",
                "jmp r11",
                "2:",
                "mov r11d, {place}",
                "jmp {before}",
                slots = sym $slots,
                place = const $place,
                before = sym $before,
            )
        }
    };
}

/// Gives 0, or nothing, and loads nothing.
#[unsafe(naked)]
pub(super) extern "C" fn zero() {
    #[cfg(target_arch = "x86_64")]
    naked_asm!("xor eax, eax", "ret");
    #[cfg(target_arch = "aarch64")]
    naked_asm!("mov w0, wzr", "ret");
}

/// The System V ABI: six registers of numbers, eight of floats, and `al`, which counts the latter for functions like printf.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
pub(super) extern "C" fn resolve() {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "push rdi",
        "push rsi",
        "push rdx",
        "push rcx",
        "push r8",
        "push r9",
        "push rax",
        "push r10",
        "sub rsp, 128",
        "movups [rsp], xmm0",
        "movups [rsp + 16], xmm1",
        "movups [rsp + 32], xmm2",
        "movups [rsp + 48], xmm3",
        "movups [rsp + 64], xmm4",
        "movups [rsp + 80], xmm5",
        "movups [rsp + 96], xmm6",
        "movups [rsp + 112], xmm7",
        "mov edi, r11d",
        "call {bind}",
        "mov r11, rax",
        "movups xmm0, [rsp]",
        "movups xmm1, [rsp + 16]",
        "movups xmm2, [rsp + 32]",
        "movups xmm3, [rsp + 48]",
        "movups xmm4, [rsp + 64]",
        "movups xmm5, [rsp + 80]",
        "movups xmm6, [rsp + 96]",
        "movups xmm7, [rsp + 112]",
        "add rsp, 128",
        "pop r10",
        "pop rax",
        "pop r9",
        "pop r8",
        "pop rcx",
        "pop rdx",
        "pop rsi",
        "pop rdi",
        "pop rbp",
        "jmp r11",
        bind = sym super::bind,
    )
}

/// Defines the function of that name. The linker may put a jump of its own between, which uses `x16` and `x17`.
#[cfg(target_arch = "aarch64")]
macro_rules! trampoline {
    ($name:ident, $place:expr, $slots:path, $before:path) => {
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        extern "C" fn $name() {
            std::arch::naked_asm!(
                concat!(".hidden ", stringify!($name)),
                "adrp x16, {slots} + {place} * 8",
                "ldr x16, [x16, :lo12:{slots} + {place} * 8]",
                "cbz x16, 2f",
                "br x16",
                "2:",
                "mov w15, #{place}",
                "b {before}",
                slots = sym $slots,
                place = const $place,
                before = sym $before,
            )
        }
    };
}

/// AAPCS64: eight registers of numbers, eight of floats, and `x8` for where a large result goes.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
pub(super) extern "C" fn resolve() {
    naked_asm!(
        "stp x29, x30, [sp, #-224]!",
        "mov x29, sp",
        "stp x0, x1, [sp, #16]",
        "stp x2, x3, [sp, #32]",
        "stp x4, x5, [sp, #48]",
        "stp x6, x7, [sp, #64]",
        "str x8, [sp, #80]",
        "stp q0, q1, [sp, #96]",
        "stp q2, q3, [sp, #128]",
        "stp q4, q5, [sp, #160]",
        "stp q6, q7, [sp, #192]",
        "mov w0, w15",
        "bl {bind}",
        "mov x16, x0",
        "ldp x0, x1, [sp, #16]",
        "ldp x2, x3, [sp, #32]",
        "ldp x4, x5, [sp, #48]",
        "ldp x6, x7, [sp, #64]",
        "ldr x8, [sp, #80]",
        "ldp q0, q1, [sp, #96]",
        "ldp q2, q3, [sp, #128]",
        "ldp q4, q5, [sp, #160]",
        "ldp q6, q7, [sp, #192]",
        "ldp x29, x30, [sp], #224",
        "br x16",
        bind = sym super::bind,
    )
}

pub(super) use trampoline;
