using System.Security.Cryptography;

namespace Cove;

/// <summary>
/// Random bytes for names and nonces, from the operating system's generator, which is asked for a block at a time: a run takes some dozens of bytes,
/// and in a profile two calls for them were a thirtieth of what a server does for a short one. Each byte is given out once.
/// </summary>
internal static class Entropy
{
    /// <summary>Enough for a dozen runs.</summary>
    private const int BlockBytes = 512;

    [ThreadStatic]
    private static byte[]? _block;

    [ThreadStatic]
    private static int _left;

    public static void Fill(Span<byte> bytes)
    {
        if (bytes.Length > BlockBytes)
        {
            RandomNumberGenerator.Fill(bytes);
            return;
        }

        var block = _block ??= new byte[BlockBytes];
        if (_left < bytes.Length)
        {
            RandomNumberGenerator.Fill(block);
            _left = BlockBytes;
        }

        var taken = block.AsSpan(_left - bytes.Length, bytes.Length);
        taken.CopyTo(bytes);
        taken.Clear(); // a copy of this memory tells no nonce that is in use
        _left -= bytes.Length;
    }

    /// <summary>Lower-case hexadecimal digits, two for each byte.</summary>
    public static string Hex(int bytes)
    {
        Span<byte> drawn = stackalloc byte[bytes];
        Fill(drawn);
        return Convert.ToHexStringLower(drawn);
    }
}
