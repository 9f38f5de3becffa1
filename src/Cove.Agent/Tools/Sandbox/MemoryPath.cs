using System.Buffers;
using System.Text;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>A path under <c>/memories</c> as a model gave it, checked part by part before it touches this machine's file system. Pure.</summary>
internal static class MemoryPath
{
    public const string Root = "/memories";
    private static readonly SearchValues<char> _forbidden = SearchValues.Create("\\:%*?\"<>|");

    public const int MaxDepth = 8;
    private const int MaxPartBytes = 200; // a file system takes 255; a temporary name beside it is longer

    /// <summary>The parts below the root, none of them a way out; null when the path is no place in the memory.</summary>
    public static string[]? Parts(string path)
    {
        if (path != Root && !path.StartsWith(Root + "/", StringComparison.Ordinal))
        {
            return null;
        }

        var below = path[Root.Length..].TrimEnd('/');
        if (below.Length == 0)
        {
            return [];
        }

        var parts = below[1..].Split('/');
        return parts.Length <= MaxDepth && Array.TrueForAll(parts, IsName) ? parts : null;
    }

    /// <summary>
    /// One name: neither empty nor dots alone, without characters that some system reads as a separator or a drive, or that hide in a listing. A percent
    /// sign is refused too: nothing here decodes it, and nothing that ever will shall find a way out in it.
    /// </summary>
    private static bool IsName(string part) =>
        part.Length > 0 && Encoding.UTF8.GetByteCount(part) <= MaxPartBytes && !part.StartsWith('.') && part.Trim() == part
        && part.AsSpan().IndexOfAny(_forbidden) < 0 && Excerpts.OneLine(part) == part;
}
