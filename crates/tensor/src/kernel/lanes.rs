//! One vector of `f32` on each instruction set, behind one trait, so that a kernel is written once.

/// A vector type and the arithmetic that kernels need.
///
/// A value of an implementing type is the promise that the processor has its instructions; it is made
/// only by the entry points in [`super::dispatch`], after detection. Every method is inlined into such
/// an entry point, which enables the instructions for the compiler.
pub(crate) trait Lanes: Copy {
    /// One vector.
    type V: Copy;
    /// How many `f32` a vector holds.
    const N: usize;

    /// The same number in every lane.
    fn splat(self, x: f32) -> Self::V;
    /// # Safety
    /// `from` must be valid for reading `N` numbers.
    unsafe fn load(self, from: *const f32) -> Self::V;
    /// # Safety
    /// `to` must be valid for writing `N` numbers.
    unsafe fn store(self, to: *mut f32, v: Self::V);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once where the processor can.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The smaller; `b` where one of them is not a number.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// The larger; `b` where one of them is not a number.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The nearest integer.
    fn round(self, a: Self::V) -> Self::V;
    /// `2^n` for integers `n` in -126..=127.
    fn power_of_two(self, n: Self::V) -> Self::V;
    /// `v 2^n` for integers `n` in -252..=254.
    #[inline(always)]
    fn scale_by_power(self, v: Self::V, n: Self::V) -> Self::V {
        // Two factors, since 2^n alone does not reach the ends of the range.
        let half = self.round(self.mul(n, self.splat(0.5)));
        self.mul(self.mul(v, self.power_of_two(half)), self.power_of_two(self.sub(n, half)))
    }
    /// `1 / v` for numbers that are neither huge nor tiny, perhaps wrong in the last bit.
    #[inline(always)]
    fn reciprocal(self, v: Self::V) -> Self::V {
        self.div(self.splat(1.0), v)
    }
    /// `yes` where `a < b`, else `no`.
    fn if_less(self, a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V;

    /// The first `N` numbers of a slice.
    #[inline(always)]
    fn read(self, from: &[f32]) -> Self::V {
        assert!(from.len() >= Self::N);
        // SAFETY: the slice holds at least N numbers.
        unsafe { self.load(from.as_ptr()) }
    }

    /// Overwrites the first `N` numbers of a slice.
    #[inline(always)]
    fn write(self, to: &mut [f32], v: Self::V) {
        assert!(to.len() >= Self::N);
        // SAFETY: the slice holds at least N numbers.
        unsafe { self.store(to.as_mut_ptr(), v) }
    }

    /// A slice shorter than a vector, filled up with `rest`.
    #[inline(always)]
    fn read_part(self, from: &[f32], rest: f32) -> Self::V {
        let mut whole = [rest; 16];
        whole[..from.len()].copy_from_slice(from);
        self.read(&whole)
    }

    /// Overwrites a slice shorter than a vector.
    #[inline(always)]
    fn write_part(self, to: &mut [f32], v: Self::V) {
        let mut whole = [0.0; 16];
        self.write(&mut whole, v);
        let n = to.len();
        to.copy_from_slice(&whole[..n]);
    }

    /// The first `N` numbers of a slice; a shorter one is filled up with `rest`.
    #[inline(always)]
    fn get(self, from: &[f32], rest: f32) -> Self::V {
        if from.len() >= Self::N { self.read(from) } else { self.read_part(from, rest) }
    }

    /// Overwrites the first `N` numbers of a slice, or all of a shorter one.
    #[inline(always)]
    fn put(self, to: &mut [f32], v: Self::V) {
        if to.len() >= Self::N { self.write(to, v) } else { self.write_part(to, v) }
    }

    /// The lanes combined pairwise by halving: the same order on every call.
    #[inline(always)]
    fn fold(self, v: Self::V, combine: impl Fn(f32, f32) -> f32) -> f32 {
        let mut lanes = [0.0; 16];
        self.write(&mut lanes, v);
        let mut width = Self::N;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                lanes[i] = combine(lanes[i], lanes[i + width]);
            }
        }
        lanes[0]
    }

    /// The largest lane; not a number where one of them is not.
    #[inline(always)]
    fn largest(self, v: Self::V) -> f32 {
        self.fold(v, |a, b| if a > b || a.is_nan() { a } else { b })
    }

    /// The sum of the lanes.
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        self.fold(v, |a, b| a + b)
    }
}

/// Plain Rust: what every processor can do, and what Miri can follow.
#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Portable {
    #[inline(always)]
    fn zip(a: [f32; 4], b: [f32; 4], f: impl Fn(f32, f32) -> f32) -> [f32; 4] {
        [f(a[0], b[0]), f(a[1], b[1]), f(a[2], b[2]), f(a[3], b[3])]
    }
}

impl Lanes for Portable {
    type V = [f32; 4];
    const N: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> Self::V {
        // SAFETY: the caller promises N readable numbers; an array of f32 has their alignment.
        unsafe { from.cast::<[f32; 4]>().read() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, v: Self::V) {
        // SAFETY: the caller promises N writable numbers; an array of f32 has their alignment.
        unsafe { to.cast::<[f32; 4]>().write(v) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        Self::zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        Self::zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        Self::zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        Self::zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Without the instruction, `f32::mul_add` is a slow call; two roundings are good enough here.
        self.add(self.mul(a, b), c)
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        Self::zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        Self::zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn round(self, a: Self::V) -> Self::V {
        a.map(f32::round_ties_even)
    }
    #[inline(always)]
    fn power_of_two(self, n: Self::V) -> Self::V {
        n.map(|n| f32::from_bits(((n as i32 + 127) << 23) as u32))
    }
    #[inline(always)]
    fn if_less(self, a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] < b[i] { yes[i] } else { no[i] })
    }
}

/// Writes an implementation whose methods are single expressions over the intrinsics of one
/// instruction set.
#[cfg(not(miri))]
macro_rules! lanes {
    ($(#[$doc:meta])* $name:ident, $v:ty, $n:literal, $arch:path,
     $splat:ident, $load:ident, $store:ident, $add:ident, $sub:ident, $mul:ident, $div:ident,
     mul_add($ma:ident, $mb:ident, $mc:ident) = $mul_add:expr,
     min($na:ident, $nb:ident) = $min:expr,
     max($xa:ident, $xb:ident) = $max:expr,
     round($ra:ident) = $round:expr,
     power_of_two($pn:ident) = $power:expr,
     if_less($ia:ident, $ib:ident, $yes:ident, $no:ident) = $if_less:expr $(, $extra:item)* $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(super) struct $name(());

        impl $name {
            /// # Safety
            /// The processor must have these instructions.
            #[inline(always)]
            pub(super) unsafe fn detected() -> Self {
                Self(())
            }
        }

        // SAFETY, for every block below: a value of this type exists only where the processor has
        // the instructions, see `detected`; loads and stores pass the caller's promise on.
        #[expect(clippy::undocumented_unsafe_blocks, reason = "one sentence above holds for all of them")]
        #[allow(unused_unsafe, reason = "some intrinsics are safe to call in some versions of the compiler")]
        #[allow(unused_qualifications, reason = "the paths are written where the imports are not in view")]
        const _: () = {
            use $arch::*;
            impl Lanes for $name {
                type V = $v;
                const N: usize = $n;
                #[inline(always)]
                fn splat(self, x: f32) -> $v { unsafe { $splat(x) } }
                #[inline(always)]
                unsafe fn load(self, from: *const f32) -> $v { unsafe { $load(from) } }
                #[inline(always)]
                unsafe fn store(self, to: *mut f32, v: $v) { unsafe { $store(to, v) } }
                #[inline(always)]
                fn add(self, a: $v, b: $v) -> $v { unsafe { $add(a, b) } }
                #[inline(always)]
                fn sub(self, a: $v, b: $v) -> $v { unsafe { $sub(a, b) } }
                #[inline(always)]
                fn mul(self, a: $v, b: $v) -> $v { unsafe { $mul(a, b) } }
                #[inline(always)]
                fn div(self, a: $v, b: $v) -> $v { unsafe { $div(a, b) } }
                #[inline(always)]
                fn mul_add(self, $ma: $v, $mb: $v, $mc: $v) -> $v { unsafe { $mul_add } }
                #[inline(always)]
                fn min(self, $na: $v, $nb: $v) -> $v { unsafe { $min } }
                #[inline(always)]
                fn max(self, $xa: $v, $xb: $v) -> $v { unsafe { $max } }
                #[inline(always)]
                fn round(self, $ra: $v) -> $v { unsafe { $round } }
                #[inline(always)]
                fn power_of_two(self, $pn: $v) -> $v { unsafe { $power } }
                #[inline(always)]
                fn if_less(self, $ia: $v, $ib: $v, $yes: $v, $no: $v) -> $v { unsafe { $if_less } }
                $($extra)*
            }
        };
    };
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
lanes!(
    /// AVX-512: sixteen lanes.
    Avx512, std::arch::x86_64::__m512, 16, std::arch::x86_64,
    _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps,
    mul_add(a, b, c) = _mm512_fmadd_ps(a, b, c),
    min(a, b) = _mm512_min_ps(a, b),
    max(a, b) = _mm512_max_ps(a, b),
    round(a) = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a),
    power_of_two(n) = _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)))),
    if_less(a, b, yes, no) = _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes),
    #[inline(always)]
    fn read_part(self, from: &[f32], rest: f32) -> __m512 {
        // The mask keeps the load within the slice.
        let mask = (1_u32 << from.len().min(16)) - 1;
        unsafe { _mm512_mask_loadu_ps(_mm512_set1_ps(rest), mask as u16, from.as_ptr()) }
    },
    #[inline(always)]
    fn write_part(self, to: &mut [f32], v: __m512) {
        // The mask keeps the store within the slice.
        let mask = (1_u32 << to.len().min(16)) - 1;
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), mask as u16, v) }
    },
    #[inline(always)]
    fn scale_by_power(self, v: __m512, n: __m512) -> __m512 {
        unsafe { _mm512_scalef_ps(v, n) }
    },
    #[inline(always)]
    fn reciprocal(self, v: __m512) -> __m512 {
        // Fourteen bits, which one step of Newton's method doubles; a division takes sixteen cycles.
        let y = unsafe { _mm512_rcp14_ps(v) };
        self.mul_add(y, self.mul_add(self.sub(self.splat(0.0), v), y, self.splat(1.0)), y)
    },
    #[inline(always)]
    fn sum(self, v: __m512) -> f32 {
        unsafe { _mm512_reduce_add_ps(v) }
    },
    #[inline(always)]
    fn largest(self, v: __m512) -> f32 {
        let lost = unsafe { _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(v, v) };
        if lost == 0 { unsafe { _mm512_reduce_max_ps(v) } } else { f32::NAN }
    },
);

#[cfg(all(target_arch = "x86_64", not(miri)))]
lanes!(
    /// AVX2 with fused multiply-add: eight lanes.
    Avx2, std::arch::x86_64::__m256, 8, std::arch::x86_64,
    _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps,
    mul_add(a, b, c) = _mm256_fmadd_ps(a, b, c),
    min(a, b) = _mm256_min_ps(a, b),
    max(a, b) = _mm256_max_ps(a, b),
    round(a) = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a),
    power_of_two(n) = _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)))),
    if_less(a, b, yes, no) = _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)),
);

#[cfg(all(target_arch = "aarch64", not(miri)))]
lanes!(
    /// NEON: four lanes.
    Neon, std::arch::aarch64::float32x4_t, 4, std::arch::aarch64,
    vdupq_n_f32, vld1q_f32, vst1q_f32, vaddq_f32, vsubq_f32, vmulq_f32, vdivq_f32,
    mul_add(a, b, c) = vfmaq_f32(c, a, b),
    min(a, b) = vbslq_f32(vcltq_f32(a, b), a, b),
    max(a, b) = vbslq_f32(vcgtq_f32(a, b), a, b),
    round(a) = vrndnq_f32(a),
    power_of_two(n) = vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)))),
    if_less(a, b, yes, no) = vbslq_f32(vcltq_f32(a, b), yes, no),
);
