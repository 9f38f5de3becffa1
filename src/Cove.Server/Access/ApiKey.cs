using System.Security.Cryptography;
using System.Text;

namespace Cove.Server.Access;

/// <summary>
/// A key: <c>cove_</c>, 8 characters that name it, <c>_</c>, 32 that are secret (160 bits). It is looked up by its name and compared by the
/// SHA-256 of the whole: a secret of 160 random bits can't be guessed from its hash, so that no slow hash is needed, and none slows a request.
/// </summary>
internal readonly record struct ApiKey
{
    public const string Prefix = "cove_";
    public const int IdLength = 8;
    public const int SecretLength = 32;
    private const int Length = 5 + IdLength + 1 + SecretLength;
    private const string Alphabet = "abcdefghijkmnpqrstuvwxyz23456789"; // 32 letters: 5 bits each, none mistaken for another

    private ApiKey(string text) => Text = text;

    /// <summary>The whole key. Never written anywhere but once to whoever made it.</summary>
    public string Text { get; }

    /// <summary>The part that is no secret.</summary>
    public string Id => Text.Substring(Prefix.Length, IdLength);

    /// <summary>What is kept of it.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Text)));

    public static ApiKey New() => new($"{Prefix}{RandomNumberGenerator.GetString(Alphabet, IdLength)}_{RandomNumberGenerator.GetString(Alphabet, SecretLength)}");

    /// <summary>Accepts only what <see cref="New"/> could have made.</summary>
    public static bool TryParse(string? text, out ApiKey key)
    {
        key = new ApiKey(text ?? "");
        return text is { Length: Length } && text.StartsWith(Prefix, StringComparison.Ordinal) && text[Prefix.Length + IdLength] == '_'
            && IsDrawn(text.AsSpan(Prefix.Length, IdLength)) && IsDrawn(text.AsSpan(Length - SecretLength));
    }

    /// <summary>Compares with a kept hash; how long that takes tells nothing.</summary>
    public bool Matches(string hash) => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hash), Encoding.ASCII.GetBytes(hash));

    /// <summary>Never the key: it must not get into a log by accident.</summary>
    public override string ToString() => $"{Prefix}{(Text.Length == Length ? Id : "")}…";

    private static readonly System.Buffers.SearchValues<char> _letters = System.Buffers.SearchValues.Create(Alphabet);

    private static bool IsDrawn(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(_letters);
}
