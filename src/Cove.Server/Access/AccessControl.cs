using Cove.Server.Access.Audit;
using Cove.Server.Access.Idempotency;
using Cove.Server.Access.Quotas;
using Cove.Server.Access.Tenancy;
using Cove.Server.State;
using Microsoft.AspNetCore.Builder;
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

    private AccessControl(AccessGate gate, Ledger ledger, Welcome welcome)
    {
        _gate = gate;
        Ledger = ledger;
        Welcome = welcome;
    }

    public Welcome Welcome { get; }

    public Ledger Ledger { get; }

    /// <summary>
    /// Takes the state for this server, accounts for what the last one left, and makes the first key. Refused: an address that others reach, without
    /// any valid key; and one that is open to all.
    /// </summary>
    public static async Task<AccessControl> StartAsync(ICove engine, StateStore state, AccessOptions options, ILogger log)
    {
        options.Validate();
        await state.BeginServingAsync();
        var welcome = await WelcomeAsync(state, options);
        var ledger = new Ledger(engine, state, options.CpuTime, log);
        var gate = new AccessGate(
            options, new KeyRing(state), new FailureLimiter(options.FailuresPerMinute, state.Time), new QuotaTable(options.Quotas, state), ledger,
            new AuditTrail(state, options.AuditReads), new IdempotentAnswers(state, log), log);
        return new AccessControl(gate, ledger, welcome);
    }

    /// <summary>Adds it to the pipeline, after routing.</summary>
    public void Use(IApplicationBuilder app) => app.Use(next => context => _gate.InvokeAsync(context, next));

    /// <summary>Notes how everything ended. After the engine, before the state.</summary>
    public ValueTask DisposeAsync() => Ledger.DisposeAsync();

    private static async Task<Welcome> WelcomeAsync(StateStore state, AccessOptions options)
    {
        await state.Projects.AddAsync(KeyRequest.DefaultProject, state.Time.GetUtcNow());
        if (options.AllowAnonymous)
        {
            return new Welcome(null, "Anybody on this machine may use this server without a key (--allow-anonymous), as the project 'default'.");
        }

        if (await state.Keys.AnyAsync(state.Time.GetUtcNow()))
        {
            return new Welcome(null, $"API keys are in {state.Place}, as hashes only: a key that was lost can't be shown again, but 'cove keys create' makes another.");
        }

        if (!options.LoopbackOnly)
        {
            throw AccessErrors.KeysNeeded(options.Address, state.Place);
        }

        var (key, _) = await new KeyDesk(state.Keys, state.Time).CreateAsync(new KeyRequest { Name = "first start" });
        return new Welcome(key, $"This is the first key of the project 'default'. It is shown this once; {state.Place} keeps only its hash.");
    }
}
