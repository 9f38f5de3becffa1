using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Hosting;

/// <summary>Hangs up on every process of another user, before a byte of its request is read. The directory's mode keeps them out already; this holds when the mode doesn't.</summary>
internal sealed class PeerCheck(uint ownUser, ILogger<PeerCheck> log)
{
    public ConnectionDelegate Guard(ConnectionDelegate next) => connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket && PeerCredentials.Of(socket).User is var user && (user == ownUser || user == 0))
        {
            return next(connection);
        }

        log.ForeignPeer(connection.Features.Get<IConnectionSocketFeature>() is { Socket: var known } ? PeerCredentials.Of(known).User : uint.MaxValue);
        connection.Abort();
        return Task.CompletedTask;
    };
}
