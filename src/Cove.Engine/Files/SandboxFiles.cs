using System.Buffers;
using System.Text.Json;
using Cove.Engine.Isolation;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Files;

/// <summary>
/// The files of one sandbox. A worker inside the boundary opens and looks; the host only ever touches descriptors of regular
/// files that the worker hands out, so no path a guest can arrange is ever resolved by the host.
/// </summary>
internal sealed class SandboxFiles(Cell cell, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>How long the worker has for one answer: it serves in order, and removing a large tree may take it 20 s.</summary>
    public static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(30);

    /// <summary>Entries a listing may have.</summary>
    public const int MaxEntries = 10_000;

    private const int PieceBytes = 1 << 20;

    private readonly FifoGate _opening = new(1, time);
    private FileLink? _link;
    private bool _disposed;

    /// <summary>Archives and watches.</summary>
    public FileErrands Errands { get; } = new(cell, time);

    public async Task<Stream> ReadAsync(string path, FileRange? range, CancellationToken cancellationToken)
    {
        var (_, handle, length) = await OpenFileAsync("read", path, w => w.WritePath("path", path), cancellationToken);
        if (range is not { } part)
        {
            return new SandboxFileStream(handle, length);
        }

        if (part.Start == 0 || part.Start < length)
        {
            return new SandboxFileStream(handle, Math.Min(part.Length ?? long.MaxValue, length - part.Start), part.Start);
        }

        handle.Dispose();
        throw FileErrors.RangeNotSatisfiable(path, part, length);
    }

    public async Task<FileEntry> WriteAsync(string path, Stream content, FileWriteOptions options, CancellationToken cancellationToken)
    {
        var file = await BeginWriteAsync(path, options, cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int count;
            while ((count = await content.ReadAsync(buffer.AsMemory(0, PieceBytes), cancellationToken)) > 0)
            {
                await file.AppendAsync(buffer.AsMemory(0, count), cancellationToken);
            }

            return await file.CommitAsync(cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            await file.AbortAsync(); // does nothing after a commit
        }
    }

    /// <summary>Begins a file that appears when it is committed.</summary>
    public async Task<FileWrite> BeginWriteAsync(string path, FileWriteOptions options, CancellationToken cancellationToken)
    {
        var (reply, handle, _) = await OpenFileAsync("write", path, w =>
        {
            w.WritePath("path", path);
            w.WriteNumber("mode", options.Mode);
            w.WriteBoolean("overwrite", options.Overwrite);
            w.WriteBoolean("parents", options.CreateParents);
        }, cancellationToken);
        if (reply.Last.Text("token") is { Length: > 0 and <= 256 } token)
        {
            return new FileWrite(handle, path, token, this);
        }

        reply.Dispose();
        throw FileErrors.BadAnswer();
    }

    public Task<FileEntry> CommitAsync(string path, string token, CancellationToken cancellationToken) =>
        EntryAsync("commit", path, w => w.WriteString("token", token), repeatable: false, cancellationToken);

    public async Task AbortAsync(string token)
    {
        try
        {
            using var reply = await CallAsync("abort", w => w.WriteString("token", token), repeatable: false, CancellationToken.None);
        }
        catch (Exception exception) when (exception is CoveException or CellGoneException)
        {
            // The worker keeps nothing of an open write when it ends, so there is nothing left to undo.
        }
    }

    public Task<FileEntry> StatAsync(string path, CancellationToken cancellationToken) => EntryAsync("stat", path, w =>
    {
        w.WritePath("path", path);
        w.WriteBoolean("follow", false);
    }, repeatable: true, cancellationToken);

    public async Task<IReadOnlyList<FileEntry>> ListAsync(string path, int depth, CancellationToken cancellationToken)
    {
        using var reply = await CallAsync("list", w =>
        {
            w.WritePath("path", path);
            w.WriteNumber("depth", depth);
            w.WriteNumber("limit", MaxEntries);
        }, repeatable: true, cancellationToken);
        var entries = new List<FileEntry>();
        foreach (var page in reply.Pages)
        {
            if (!page.TryGetProperty("entries", out var items) || items.ValueKind != JsonValueKind.Array)
            {
                continue;
            }

            foreach (var item in items.EnumerateArray())
            {
                entries.Add(item.Entry() ?? throw FileErrors.BadAnswer());
            }
        }

        if (reply.Last.Flag("truncated") || entries.Count > MaxEntries)
        {
            throw FileErrors.TooManyEntries(path, MaxEntries);
        }

        entries.Sort(static (a, b) => string.CompareOrdinal(a.Path, b.Path));
        return entries;
    }

    public Task<FileEntry> MakeDirectoryAsync(string path, CancellationToken cancellationToken) => EntryAsync("mkdir", path, w =>
    {
        w.WritePath("path", path);
        w.WriteBoolean("parents", true);
    }, repeatable: true, cancellationToken);

    public Task<FileEntry> MoveAsync(string from, string to, bool overwrite, CancellationToken cancellationToken) => EntryAsync("move", to, w =>
    {
        w.WritePath("from", from);
        w.WritePath("to", to);
        w.WriteBoolean("overwrite", overwrite);
    }, repeatable: false, cancellationToken);

    public async Task RemoveAsync(string path, bool recursive, CancellationToken cancellationToken)
    {
        using var reply = await CallAsync("remove", w =>
        {
            w.WritePath("path", path);
            w.WriteBoolean("recursive", recursive);
        }, repeatable: false, cancellationToken);
    }

    /// <summary>Bytes and inodes in use.</summary>
    public async Task<(long Bytes, long Inodes)> UsageAsync(CancellationToken cancellationToken)
    {
        using var reply = await CallAsync("usage", static _ => { }, repeatable: true, cancellationToken);
        return (reply.Last.Number("used_bytes") ?? 0, reply.Last.Number("used_inodes") ?? 0);
    }

    public void Dispose()
    {
        _disposed = true;
        _link?.Dispose();
    }

    /// <summary>A call that is answered with what is at <paramref name="path"/> now; where the answer does not say, it is looked up.</summary>
    private async Task<FileEntry> EntryAsync(
        string operation, string path, Action<Utf8JsonWriter> fields, bool repeatable, CancellationToken cancellationToken)
    {
        using var reply = await CallAsync(operation, fields, repeatable, cancellationToken);
        return reply.Last.TryGetProperty("stat", out var stat) && stat.Entry() is { } entry ? entry
            : operation == "stat" ? throw FileErrors.BadAnswer()
            : await StatAsync(path, cancellationToken);
    }

    /// <summary>A call that is answered with the descriptor of a regular file, which is the caller's.</summary>
    private async Task<(FileReply Reply, SafeFileHandle Handle, long Length)> OpenFileAsync(
        string operation, string path, Action<Utf8JsonWriter> fields, CancellationToken cancellationToken)
    {
        var reply = await CallAsync(operation, fields, repeatable: true, cancellationToken);
        if (reply.Descriptor is { } handle && RegularFile.Length(handle) is { } length)
        {
            return (reply, handle, length);
        }

        var error = reply.Descriptor is null ? FileErrors.BadAnswer() : FileErrors.NotRegular(path);
        reply.Dispose();
        throw error;
    }

    /// <summary>
    /// Calls the worker. One that died since the last call is replaced; a call during which it died is repeated once when that
    /// cannot do anything twice.
    /// </summary>
    private async Task<FileReply> CallAsync(string operation, Action<Utf8JsonWriter> fields, bool repeatable, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var link = await OpenAsync(cancellationToken);
                var reply = await link.CallAsync(operation, fields, CallLimit, cancellationToken);
                if (reply.Ok)
                {
                    return reply;
                }

                reply.Dispose();
                throw FileErrors.Refused(reply.Last);
            }
            catch (FileWorkerLostException exception)
            {
                if (!repeatable || attempt == 2)
                {
                    throw FileErrors.WorkerLost(exception.Message);
                }

                logger.FileWorkerRestarted(exception.Message);
            }
        }
    }

    /// <summary>A worker that comes after nobody waits for it any more ends when its link closes.</summary>
    private static void CloseLate(Task<IFrameLink> opening) => _ = opening.ContinueWith(
        static late => late.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    private async ValueTask<FileLink> OpenAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _link) is { Broken: null } live)
        {
            return live;
        }

        await _opening.EnterAsync(Timeout.InfiniteTimeSpan, cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_link is { Broken: null } opened)
            {
                return opened;
            }

            var opening = cell.OpenFilesAsync(cancellationToken);
            try
            {
                var link = new FileLink(await opening.WaitAsync(CallLimit, time, cancellationToken), time);
                Volatile.Write(ref _link, link);
                return link;
            }
            catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
            {
                CloseLate(opening);
                throw;
            }
        }
        catch (TimeoutException)
        {
            throw new FileWorkerLostException("it did not start");
        }
        catch (ObjectDisposedException)
        {
            throw new CellGoneException("The sandbox has ended.");
        }
        finally
        {
            _opening.Leave();
        }
    }
}
