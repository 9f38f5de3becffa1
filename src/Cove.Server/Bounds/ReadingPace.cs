using Microsoft.AspNetCore.Http;

namespace Cove.Server.Bounds;

/// <summary>
/// How fast an answer must be read: within each <paramref name="Window"/> all that waited at its begin, or <paramref name="Rate"/> bytes a second. Nothing
/// is asked of a stream on which nothing happens, and of one on which little happens no more than that. (Kestrel's own rate is not used: it gives credit for what was read fast
/// before, so that who has read a lot may then stop for hours.)
/// </summary>
internal sealed record ReadingPace(double Rate, TimeSpan Window)
{
    /// <summary>What lies whole in memory must have been taken by then, whatever its length.</summary>
    private static readonly TimeSpan HeldTime = TimeSpan.FromMinutes(10);

    /// <summary>Callers without a key, until they show one.</summary>
    public static ReadingPace OfStrangers { get; } = new(4096, TimeSpan.FromSeconds(10));

    /// <summary>Callers with a key.</summary>
    public static ReadingPace OfCallers(TimeSpan window) => new(1024, window);

    /// <summary>From now on this pace is asked at the request's connection; null: none.</summary>
    public static void Set(HttpContext context, ReadingPace? pace)
    {
        if (context.Features.Get<HeldConnection>() is { } connection)
        {
            connection.Pace = pace;
        }
    }

    /// <summary>For an answer of this length that is held in memory until it is read; the next request's pace is its own again.</summary>
    public static void ForHeld(HttpContext context, long bytes)
    {
        if (context.Features.Get<HeldConnection>() is { Pace: { } pace } connection && bytes / HeldTime.TotalSeconds is var rate && rate > pace.Rate)
        {
            connection.Pace = pace with { Rate = rate };
        }
    }
}

/// <summary>Judges the reader of one connection, look after look.</summary>
internal struct ReadingWatch
{
    private long _taken;
    private long _due;
    private long _since;
    private bool _waiting;

    /// <summary>Whether the reader is slower than the pace. <paramref name="sent"/>: what it has taken since the connection began, and what there is for it.</summary>
    public bool IsTooSlow(ReadingPace? pace, SentBytes sent, long now, TimeProvider time)
    {
        if (sent.Waiting <= 0 || pace is null)
        {
            _waiting = false;
            return false;
        }

        if (_waiting && sent.Taken < _due)
        {
            var window = time.GetElapsedTime(_since, now);
            if (window < pace.Window)
            {
                return false;
            }

            if (sent.Taken - _taken < pace.Rate * window.TotalSeconds)
            {
                return true;
            }
        }

        (_waiting, _taken, _due, _since) = (true, sent.Taken, sent.Taken + sent.Waiting, now);
        return false;
    }
}
