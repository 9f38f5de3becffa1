namespace Cove.Server.State;

/// <summary>Where the server keeps what must outlive it. Checked by <see cref="Validate"/>.</summary>
internal sealed record StateOptions
{
    /// <summary>The name of an SQLite database in its data directory.</summary>
    public const string SqliteFile = "cove.db";

    /// <summary>The data directory: this user's own, mode 0700; made when it is missing. Absolute.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Whether whoever starts the server holds the data directory's lock already. Default no: it is taken when serving begins.</summary>
    public bool DirectoryIsHeld { get; init; }

    /// <summary>A PostgreSQL connection string (<c>Host=…;Username=…;Database=…</c> or <c>postgresql://…</c>). Default: SQLite, in <c>cove.db</c> of the data directory.</summary>
    public string? Database { get; init; }

    /// <summary>How long audit rows, runs and ended sandboxes are kept. Default 90 days; 1 day to 10 years.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(90);

    /// <summary>How many rows may wait to be written before requests wait for room. Default 16,384; 64 to 1,048,576.</summary>
    public int QueueCapacity { get; init; } = 16_384;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Throws the error that names what is wrong.</summary>
    public void Validate()
    {
        if (!Path.IsPathFullyQualified(DataDirectory))
        {
            throw StateErrors.InvalidOption("data", DataDirectory, "an absolute path");
        }

        if (Retention < TimeSpan.FromDays(1) || Retention > TimeSpan.FromDays(3653))
        {
            throw StateErrors.InvalidOption("retention", Retention.ToString(), "1 day to 10 years");
        }

        if (QueueCapacity is < 64 or > 1_048_576)
        {
            throw StateErrors.InvalidOption("queue_capacity", QueueCapacity.ToString(), "64 to 1048576");
        }
    }
}
