using System.Buffers.Binary;

namespace Skein;

/// <summary>The instructions of a method: code and, where there is one, token. ECMA-335, partition III.</summary>
readonly ref struct IlInstructions(ReadOnlySpan<byte> il)
{
    public const int LoadThis = 0x02, Call = 0x28, Return = 0x2A, CallVirtual = 0x6F, NewObject = 0x73, LoadField = 0x7B, LoadFieldAddress = 0x7C,
        StoreField = 0x7D, StoreStatic = 0x80, StoreElement = 0xA2, LoadToken = 0xD0, LoadFunction = 0xFE06, LoadVirtualFunction = 0xFE07;

    readonly ReadOnlySpan<byte> _il = il;

    /// <summary>Whether the operand names a member that matters here.</summary>
    public static bool HasMember(int code) => code is Call or CallVirtual or NewObject or LoadField or LoadFieldAddress or StoreField or LoadToken or LoadFunction or LoadVirtualFunction;

    /// <summary>Whether it takes the value on top of the stack to where it can no longer be seen.</summary>
    public static bool LetsGo(int code) => code is Return or StoreStatic or StoreElement;

    public Enumerator GetEnumerator() => new(_il);

    public ref struct Enumerator(ReadOnlySpan<byte> il)
    {
        readonly ReadOnlySpan<byte> _il = il;
        int _next;

        public (int Code, int Token) Current { get; private set; }

        public bool MoveNext()
        {
            if (_next >= _il.Length)
                return false;
            int code = _il[_next++];
            if (code == 0xFE)
                code = 0xFE00 | _il[_next++];
            var size = OperandSize(code);
            var token = size == 4 ? BinaryPrimitives.ReadInt32LittleEndian(_il[_next..]) : 0;
            _next += code == 0x45 ? 4 + (4 * token) : size;
            Current = (code, token);
            return true;
        }

        static int OperandSize(int code) => code switch
        {
            >= 0x0E and <= 0x13 or 0x1F or (>= 0x2B and <= 0x37) or 0xDE => 1,
            0x21 or 0x23 => 8,
            0x20 or 0x22 or (>= 0x27 and <= 0x29) or (>= 0x38 and <= 0x45) => 4,
            (>= 0x6F and <= 0x75) or 0x79 or (>= 0x7B and <= 0x81) or 0x8C or 0x8D or 0x8F => 4,
            (>= 0xA3 and <= 0xA5) or 0xC2 or 0xC6 or 0xD0 or 0xDD => 4,
            0xFE06 or 0xFE07 or 0xFE15 or 0xFE16 or 0xFE1C => 4,
            >= 0xFE09 and <= 0xFE0E => 2,
            0xFE12 or 0xFE19 => 1,
            _ => 0,
        };
    }
}
