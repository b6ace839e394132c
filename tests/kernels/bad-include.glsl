// expect: bad-include.glsl:5: '#include' is not for kernels
//!KERNEL bad
//!IN u32
//!OUT u32
#include "/etc/passwd"
void element(int i) { out(i, in(i)); }
