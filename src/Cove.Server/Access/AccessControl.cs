using Cove.Server.Access.Audit;
using Cove.Server.Access.Idempotency;
using Cove.Server.Access.Quotas;
using Cove.Server.Access.Tenancy;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Server.State;
using Cove.Server.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Access;

/// <summary>What the operator is told about keys when the server starts.</summary>
/// <param name="NewKey">The key that was made at this first start: told now and never again.</param>
/// <param name="Text">What to say, in a sentence or two.</param>
internal sealed record Welcome(ApiKey? NewKey, string Text);

/// <summary>Everything between the door and the front-ends. The state is given to it open, and closed by its owner after it.</summary>
internal sealed class AccessControl : IAsyncDisposable
{
    private readonly AccessGate _gate;
    private readonly StateStore _state;
    private readonly AccessOptions _options;

    private readonly OpenRequests _open;

    private AccessControl(AccessGate gate, OpenRequests open, Ledger ledger, StateStore state, AccessOptions options)
    {
        (_gate, _open, _state, _options) = (gate, open, state, options);
        Ledger = ledger;
    }

    public Ledger Ledger { get; }

    /// <summary>
    /// Takes the state for this server and accounts for what the last one left. Refused: an address that others reach, without any valid key or open to all.
    /// </summary>
    public static async Task<AccessControl> StartAsync(ICove engine, StateStore state, AccessOptions options, ILogger log)
    {
        await CheckAsync(state, options);
        await state.BeginServingAsync(sandbox => LeftEnds.ReasonAsync(engine, sandbox));
        await state.Projects.AddAsync(KeyRequest.DefaultProject, state.Time.GetUtcNow());
        var ledger = new Ledger(engine, state, options.CpuTime, log, options.Ends);
        var keys = new KeyRing(state);
        var open = new OpenRequests(keys, options.MaxOpenRequests, state.Time, log);
        var gate = new AccessGate(
            options, keys, new FailureLimiter(options.FailuresPerMinute, state.Time), new QuotaTable(options.Quotas, state), open, new HeldMemory(options.MaxHeldBytes), ledger,
            new AuditTrail(state, options.AuditReads), new IdempotentAnswers(state, options.KeptAnswers, log), log);
        return new AccessControl(gate, open, ledger, state, options);
    }

    /// <summary>Sees to it that somebody can be let in where that takes a key; before anything else is started, a mistake costs nothing.</summary>
    public static async Task CheckAsync(StateStore state, AccessOptions options)
    {
        options.Validate();
        if (options.ProvidedKey is { } provided)
        {
            await new KeyDesk(state.Keys, state.Time).ProvideAsync(provided);
        }

        if (!options.LoopbackOnly && !await state.Keys.AnyAsync(state.Time.GetUtcNow()))
        {
            throw AccessErrors.KeysNeeded(options.Address, state.Place);
        }
    }

    /// <summary>Adds it to the pipeline, after routing.</summary>
    public void Use(IApplicationBuilder app)
    {
        _gate.Meter = app.ApplicationServices.GetService<ServerMeter>();
        app.Use(next => context => _gate.InvokeAsync(context, next));
    }

    /// <summary>What to tell the operator. At a first start without keys it makes one: called when the server listens, so that a start that fails wastes none.</summary>
    public async Task<Welcome> WelcomeAsync()
    {
        if (_options.AllowAnonymous)
        {
            return new Welcome(null, "anybody on this machine may use this server without a key (--allow-anonymous), as the project 'default'");
        }

        if (await _state.Keys.AnyAsync(_state.Time.GetUtcNow()))
        {
            return new Welcome(null, $"API keys are in {_state.Place}, as hashes only: one that was lost can't be shown again, but 'cove keys create' makes another");
        }

        var (key, _) = await new KeyDesk(_state.Keys, _state.Time).CreateAsync(new KeyRequest { Name = "first start", Scopes = Scopes.All });
        return new Welcome(key, $"the first API key, of the project 'default', is shown this once; {_state.Place} keeps only its hash");
    }

    /// <summary>Notes how everything ended. After the engine, before the state.</summary>
    public async ValueTask DisposeAsync()
    {
        await _open.DisposeAsync();
        await Ledger.DisposeAsync();
    }
}
