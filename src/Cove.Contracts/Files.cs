using System.Text.Json.Serialization;

namespace Cove;

/// <summary>What a directory entry is.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<FileKind>))]
public enum FileKind
{
    /// <summary>A regular file.</summary>
    File,

    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A symbolic link.</summary>
    Symlink,

    /// <summary>A FIFO, socket or device: listed, never opened.</summary>
    Other,
}

/// <summary>A file, directory or link in a sandbox.</summary>
public sealed record FileEntry
{
    /// <summary>Its absolute path in the sandbox.</summary>
    public required string Path { get; init; }

    /// <summary>What it is.</summary>
    public required FileKind Kind { get; init; }

    /// <summary>Its length in bytes (of a sparse file the apparent one).</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Bytes it takes.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>Its permission bits.</summary>
    public required int Mode { get; init; }

    /// <summary>When its content last changed.</summary>
    public required DateTimeOffset ModifiedAt { get; init; }

    /// <summary>Where a link points to, as written.</summary>
    public string? LinkTarget { get; init; }
}

/// <summary>How to write a file.</summary>
public sealed record FileWriteOptions
{
    /// <summary>Permission bits. Default 0644 (octal).</summary>
    public int Mode { get; init; } = 0x1A4;

    /// <summary>Whether an existing file is replaced. Default yes.</summary>
    public bool Overwrite { get; init; } = true;

    /// <summary>Whether missing directories are made. Default yes.</summary>
    public bool CreateParents { get; init; } = true;
}

/// <summary>A part of a file. A start at or beyond the file's end is refused with <c>range_not_satisfiable</c>, unless it is 0.</summary>
/// <param name="Start">The first byte, from 0.</param>
/// <param name="Length">How many bytes at most, from 1; null: to the end.</param>
public readonly record struct FileRange(long Start, long? Length = null);

/// <summary>Kinds of changes.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<FileChangeKind>))]
public enum FileChangeKind
{
    /// <summary>The watch stands: what happens from now on is told. Always the first, with the watched directory's path.</summary>
    Started,

    /// <summary>It is there now and was not before.</summary>
    Created,

    /// <summary>Its content, length or permission bits changed.</summary>
    Modified,

    /// <summary>It is no longer there.</summary>
    Removed,

    /// <summary>More happened than could be told one by one: list the directory.</summary>
    Overflow,
}

/// <summary>A change of a watched directory. A move is a removal and a creation.</summary>
public sealed record FileChange
{
    /// <summary>What happened.</summary>
    public required FileChangeKind Kind { get; init; }

    /// <summary>The absolute path in the sandbox.</summary>
    public required string Path { get; init; }
}
