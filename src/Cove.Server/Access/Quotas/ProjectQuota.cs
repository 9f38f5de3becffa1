using Cove.Server.State;

namespace Cove.Server.Access.Quotas;

/// <summary>What one project uses at this moment, and what it may.</summary>
internal sealed class ProjectQuota(string project, QuotaOptions defaults, StateStore state)
{
    private const long SecondsADay = 86_400;

    private readonly Lock _lock = new();
    private TokenBucket _requests;
    private readonly QuotaOptions _defaults = defaults;
    private QuotaOptions _own = defaults;
    private long _readAt;
    private long _sandboxes;
    private long _memory;
    private long _day = -1;
    private long _cpuMilliseconds;

    public long Sandboxes => Volatile.Read(ref _sandboxes);

    public long Memory => Volatile.Read(ref _memory);

    /// <summary>Reads what the database says of the project when that is older than two seconds, and on a new day what was used of it.</summary>
    public async ValueTask RefreshAsync()
    {
        var now = state.Time.GetUtcNow();
        var day = now.ToUnixTimeSeconds() / SecondsADay;
        if (Volatile.Read(ref _day) == day && now.UtcTicks - Volatile.Read(ref _readAt) is >= 0 and < TimeSpan.TicksPerSecond * 2)
        {
            return;
        }

        var own = await state.Projects.FindAsync(project) ?? new StoredProject(project);
        var used = Volatile.Read(ref _day) == day ? 0 : await state.Projects.CpuAsync(project, day);
        lock (_lock)
        {
            _own = _defaults.For(own);
            Volatile.Write(ref _readAt, now.UtcTicks);
            if (_day != day)
            {
                (_day, _cpuMilliseconds) = (day, used);
            }
        }
    }

    /// <summary>Counts a request.</summary>
    public RequestRate Request()
    {
        lock (_lock)
        {
            var limit = _own.RequestsPerMinute;
            var admitted = _requests.TryTake(limit, state.Time);
            return new RequestRate(limit, _requests.Left, _requests.UntilFull(limit), admitted ? null : _requests.UntilNext(limit));
        }
    }

    public RunError RequestRefusal(RequestRate rate) => Refusal("requests", rate.Limit, "requests per minute", "--requests");

    public RunError OpenRefusal(int most) => Refusal("open_requests", most, "open requests at once", null);

    /// <summary>Takes room for a sandbox before it is made; null and the refusal when there is none. Whatever fails afterwards gives it back.</summary>
    public Lease? TryLease(long memory, out RunError? refusal)
    {
        lock (_lock)
        {
            var (sandboxes, bytes) = (_own.MaxSandboxes, _own.MaxMemoryBytes);
            refusal = _sandboxes + 1 > sandboxes ? Refusal("sandboxes", sandboxes, "sandboxes at once", "--sandboxes")
                : _memory + memory > bytes ? Refusal("memory", bytes, "bytes of memory for all its sandboxes", "--memory")
                : null;
            if (refusal is not null)
            {
                return null;
            }

            _sandboxes++;
            _memory += memory;
            return new Lease(this, memory);
        }
    }

    /// <summary>The refusal when today's processor time is used up.</summary>
    public RunError? CpuRefusal()
    {
        lock (_lock)
        {
            var limit = _own.CpuSecondsPerDay;
            return _cpuMilliseconds < limit * 1000 ? null : Refusal("cpu_seconds", limit, "seconds of processor time a day (UTC)", "--cpu-seconds");
        }
    }

    /// <summary>Charges processor time that was measured outside the guest.</summary>
    public async ValueTask ChargeAsync(TimeSpan cpu)
    {
        var milliseconds = (long)Math.Ceiling(cpu.TotalMilliseconds);
        var day = state.Time.GetUtcNow().ToUnixTimeSeconds() / SecondsADay;
        lock (_lock)
        {
            // Of a day that was not read yet the database will tell, this charge included.
            _cpuMilliseconds += day == _day ? milliseconds : 0;
        }

        await state.Writer.AddAsync(ProjectTable.ChargeCpu(project, day, milliseconds));
    }

    /// <summary>Whole seconds after which a refusal by this limit may be over.</summary>
    public long RetryAfter(string? limit) =>
        limit == "cpu_seconds" ? SecondsADay - (state.Time.GetUtcNow().ToUnixTimeSeconds() % SecondsADay) : 5;

    private void Return(long memory)
    {
        lock (_lock)
        {
            _sandboxes--;
            _memory -= memory;
        }
    }

    private RunError Refusal(string limit, long value, string what, string? option) => new()
    {
        Code = "quota_exceeded",
        Category = ErrorCategory.Limit,
        Retryable = true,
        Message = $"The project '{project}' may use {value} {what}, and that is reached ('{limit}' = {value}).",
        Remediation = $"Wait as Retry-After says, end what is not needed, or let the operator raise it: {(option is null ? "max_connections, of which a project may have half" : $"cove project set {project} {option} N")}",
        Evidence = new ErrorEvidence { Limit = limit, LimitValue = value },
    };

    /// <summary>Room for one sandbox, given back once.</summary>
    internal sealed class Lease(ProjectQuota quota, long memory) : IDisposable
    {
        private int _returned;
        private long _memory = memory;

        /// <summary>Corrects what was taken to what the sandbox really has.</summary>
        public void Correct(long memory)
        {
            lock (quota._lock)
            {
                quota._memory += memory - _memory;
                _memory = memory;
            }
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) == 0)
            {
                quota.Return(_memory);
            }
        }
    }
}

/// <summary>Where a project is with its requests; <see cref="RetryAfter"/> is null when this one was admitted. Seconds.</summary>
internal readonly record struct RequestRate(long Limit, long Remaining, long Reset, long? RetryAfter);
