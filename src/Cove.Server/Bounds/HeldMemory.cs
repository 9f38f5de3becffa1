using System.Collections.Concurrent;

namespace Cove.Server.Bounds;

/// <summary>
/// How much of callers' bytes (bodies that must be whole before they mean anything, and answers nobody has read yet) is in this server's memory
/// at once. One project gets half of it at most. Nothing is set aside beforehand: it is taken as bytes arrive.
/// </summary>
internal sealed class HeldMemory(long most)
{
    /// <summary>What a byte of JSON takes: as it came, in the buffer it outgrows, and as what it meant.</summary>
    public const int Weight = 3;

    private readonly ConcurrentDictionary<string, HeldShare> _shares = new();
    private long _held;

    /// <summary>Bytes that may be held for all.</summary>
    public long Most => most;

    /// <summary>Bytes that may be held for one project.</summary>
    public long MostOfProject => most / 2;

    /// <summary>Bytes that are held now.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>A quarter of the memory this process may use; 128 MiB to 4 GiB.</summary>
    public static long Default() => Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, 128L << 20, 4L << 30);

    public HeldShare Of(string project) => _shares.GetOrAdd(project, static (name, memory) => new HeldShare(name, memory), this);

    internal bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= most)
        {
            return true;
        }

        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    internal void Return(long bytes) => Interlocked.Add(ref _held, -bytes);
}

/// <summary>What is held for one project.</summary>
internal sealed class HeldShare(string project, HeldMemory memory)
{
    public const string Limit = "held_bytes";
    private const string Raise = "let the operator raise held_bytes, of which a project may have half.";

    private long _held;

    /// <summary>Takes room; the refusal when there is none.</summary>
    public RunError? Take(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) > memory.MostOfProject)
        {
            Interlocked.Add(ref _held, -bytes);
            return OfProject();
        }

        if (!memory.TryTake(bytes))
        {
            Interlocked.Add(ref _held, -bytes);
            return OfServer();
        }

        return null;
    }

    public void Return(long bytes)
    {
        Interlocked.Add(ref _held, -bytes);
        memory.Return(bytes);
    }

    /// <summary>Whether it would be refused even if nothing else were held.</summary>
    public bool IsHopeless(long bytes) => bytes > memory.MostOfProject;

    /// <summary>The refusal of what could never be held.</summary>
    public RunError TooLarge() => new()
    {
        Code = "too_large_to_hold",
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = $"The request or its answer is larger than this server may hold in memory for one project: {memory.MostOfProject} bytes, of which a byte of JSON takes {HeldMemory.Weight}.",
        Remediation = $"Send large data as files, read large output as a stream, or {Raise}",
        Evidence = new ErrorEvidence { Limit = Limit, LimitValue = memory.MostOfProject },
    };

    private RunError OfProject() => new()
    {
        Code = "quota_exceeded",
        Category = ErrorCategory.Limit,
        Retryable = true,
        Message = $"The project '{project}' may have {memory.MostOfProject} bytes of bodies and unread answers in this server's memory, and that is reached ('{Limit}').",
        Remediation = $"Send fewer large requests at once, read answers faster, or {Raise}",
        Evidence = new ErrorEvidence { Limit = Limit, LimitValue = memory.MostOfProject },
    };

    private static RunError OfServer() => new()
    {
        Code = "server_busy",
        Category = ErrorCategory.Infrastructure,
        Retryable = true,
        Message = $"The memory this server has for bodies and unread answers is in use ('{Limit}').",
        Remediation = "Try again after the seconds in Retry-After.",
    };
}

/// <summary>Room that one request or run has taken; given back when it is disposed. For one user at a time.</summary>
internal sealed class HeldBytes(HeldShare share) : IDisposable
{
    private long _bytes;

    /// <summary>Takes more; throws the refusal when there is none.</summary>
    public void Grow(long bytes)
    {
        if (share.Take(bytes) is { } refusal)
        {
            throw new CoveException(share.IsHopeless(_bytes + bytes) ? share.TooLarge() : refusal);
        }

        _bytes += bytes;
    }

    /// <summary>Takes more; false when there is none.</summary>
    public bool TryGrow(long bytes)
    {
        if (share.Take(bytes) is not null)
        {
            return false;
        }

        _bytes += bytes;
        return true;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _bytes, 0) is > 0 and var bytes)
        {
            share.Return(bytes);
        }
    }
}
