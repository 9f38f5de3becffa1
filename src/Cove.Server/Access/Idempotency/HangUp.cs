using Microsoft.AspNetCore.Http;

namespace Cove.Server.Access.Idempotency;

/// <summary>
/// A caller that names its request and hangs up will ask again: what it asked for is carried out to its end, so that there is an answer to give it, and
/// not given up half-way, to be carried out a second time. An answer that has become a stream ends with its caller as all streams do.
/// </summary>
internal sealed class HangUp : IDisposable
{
    private readonly CancellationTokenSource _heeded = new();
    private CancellationTokenRegistration _link;

    private HangUp(CancellationToken token) => Token = token;

    /// <summary>Cancelled when the caller hangs up.</summary>
    public CancellationToken Token { get; }

    /// <summary>Makes a request deaf to it, until it is heeded or restored.</summary>
    public static HangUp Of(HttpContext context)
    {
        var hangUp = new HangUp(context.RequestAborted);
        context.Features.Set(hangUp);
        context.RequestAborted = hangUp._heeded.Token;
        return hangUp;
    }

    /// <summary>What tells that the caller hung up, for who was asked to end with it.</summary>
    public static CancellationToken TokenOf(HttpContext context) => context.Features.Get<HangUp>()?.Token ?? context.RequestAborted;

    public void Heed() => _link = Token.UnsafeRegister(static heeded => ((CancellationTokenSource)heeded!).Cancel(), _heeded);

    public void Restore(HttpContext context)
    {
        context.RequestAborted = Token;
        context.Features.Set<HangUp>(null);
    }

    public void Dispose()
    {
        _link.Dispose();
        _heeded.Dispose();
    }
}
