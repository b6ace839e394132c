// expect: KERNEL '../../etc/passwd': a name is
//!KERNEL ../../etc/passwd
//!IN u32
//!OUT u32
void element(int i) { out(i, in(i)); }
