// expect: bad-syntax.glsl:7: error: .inn. : no matching
//!KERNEL bad
//!IN u32
//!OUT u32
void element(int i)
{
	out(i, inn(i));
}
