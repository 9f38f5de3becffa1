using System.Net.WebSockets;

namespace Cove.Client;

public sealed partial class CoveClient
{
    /// <inheritdoc/>
    public async Task<Terminal> OpenTerminalAsync(SandboxId sandbox, TerminalRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var socket = await ConnectAsync(Of(sandbox) + "/terminals", cancellationToken);
        try
        {
            return await ClientTerminal.OpenAsync(socket, request, _options.Address, cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<ClientWebSocket> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        try
        {
            using var headers = Request(HttpMethod.Get, path, null);
            foreach (var (name, values) in headers.Headers)
            {
                socket.Options.SetRequestHeader(name, string.Join(", ", values));
            }

            await socket.ConnectAsync(WebSocketAddress(path), _http, cancellationToken);
            return socket;
        }
        catch (WebSocketException failure)
        {
            socket.Dispose();

            // A refused upgrade does not tell why; the same request without it does.
            await SendAsync(HttpMethod.Get, path, null, cancellationToken);
            throw Failures.Unreachable(_options.Address, failure);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private Uri WebSocketAddress(string path)
    {
        var address = new UriBuilder(new Uri(_http.BaseAddress!, path));
        address.Scheme = address.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs;
        return address.Uri;
    }
}
