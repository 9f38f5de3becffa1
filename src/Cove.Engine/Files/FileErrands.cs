using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Cove.Engine.Isolation;

namespace Cove.Engine.Files;

/// <summary>The archives and watches of one sandbox: a few at a time, since each has a process on the host.</summary>
internal sealed class FileErrands(Cell cell, TimeProvider time)
{
    /// <summary>How many may be going on at once.</summary>
    public const int Most = 8;

    private const int PieceBytes = 256 << 10;
    private const int MaxLineBytes = 64 << 10;

    private int _going;

    /// <summary>A directory as a tar archive; the stream owns what makes it.</summary>
    public async Task<Stream> PackAsync(string path, IDisposable use, CancellationToken cancellationToken) =>
        new ArchiveStream(await BeginAsync("pack", w => w.WritePath("path", path), cancellationToken), use);

    /// <summary>Unpacks a tar archive into a directory.</summary>
    public async Task UnpackAsync(string path, Stream archive, CancellationToken cancellationToken)
    {
        await using var errand = await BeginAsync("unpack", w => w.WritePath("path", path), cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int count;
            while ((count = await archive.ReadAsync(buffer.AsMemory(0, PieceBytes), cancellationToken)) > 0)
            {
                if (!await errand.WriteAsync(buffer.AsMemory(0, count), cancellationToken))
                {
                    break; // it is done with it, or does not want it: the end says which
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        await errand.EndAsync(cancellationToken);
    }

    /// <summary>Changes in a directory, until it or the sandbox is gone.</summary>
    public async IAsyncEnumerable<FileChange> WatchAsync(string path, bool recursive, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var errand = await BeginAsync(
            "watch",
            w =>
            {
                w.WritePath("path", path);
                w.WriteBoolean("recursive", recursive);
            },
            cancellationToken);
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 2 * MaxLineBytes, resumeWriterThreshold: MaxLineBytes, useSynchronizationContext: false));
        var filling = FillAsync(errand, pipe.Writer, cancellationToken);
        try
        {
            while (await NextAsync(pipe.Reader, cancellationToken) is { } change)
            {
                yield return change;
            }
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
            await errand.DisposeAsync();
            await filling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<FileErrand> BeginAsync(string operation, Action<Utf8JsonWriter> fields, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _going) > Most)
        {
            Interlocked.Decrement(ref _going);
            throw FileErrors.TooManyErrands(Most);
        }

        try
        {
            return await FileErrand.BeginAsync(cell, time, operation, fields, () => Interlocked.Decrement(ref _going), cancellationToken);
        }
        catch
        {
            Interlocked.Decrement(ref _going);
            throw;
        }
    }

    private static async Task FillAsync(FileErrand errand, PipeWriter writer, CancellationToken cancellationToken)
    {
        try
        {
            int count;
            do
            {
                count = await errand.ReadAsync(writer.GetMemory(4096), cancellationToken);
                writer.Advance(count);
            }
            while (count > 0 && !(await writer.FlushAsync(cancellationToken)).IsCompleted);
        }
        finally
        {
            await writer.CompleteAsync();
        }
    }

    private static async ValueTask<FileChange?> NextAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var change = Parse(read.Buffer.Slice(0, end));
                reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return change;
            }

            if (read.IsCompleted)
            {
                return null;
            }

            if (read.Buffer.Length > MaxLineBytes)
            {
                throw FileErrors.BadAnswer();
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static FileChange Parse(ReadOnlySequence<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.Text("path") is { } path && Kind(document.RootElement.Text("kind")) is { } kind)
            {
                return new FileChange { Kind = kind, Path = FilePaths.Show(path) };
            }
        }
        catch (JsonException)
        {
            // Below: no answer of a worker that is what it should be.
        }

        throw FileErrors.BadAnswer();
    }

    private static FileChangeKind? Kind(string? word) => word switch
    {
        "started" => FileChangeKind.Started,
        "created" => FileChangeKind.Created,
        "modified" => FileChangeKind.Modified,
        "removed" => FileChangeKind.Removed,
        "overflow" => FileChangeKind.Overflow,
        _ => null,
    };
}
