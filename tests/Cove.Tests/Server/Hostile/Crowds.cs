using System.Net;
using Cove.Tests.Escapes;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Hostile;

/// <summary>Many at once against the real server and a live engine: each gets its own answer, and all of them get one.</summary>
[Collection(Alone.Name)] // who else wanted a sandbox meanwhile would wait in line behind all of them
public sealed class Crowds(LiveEngine live)
{
    [Fact]
    public async Task Two_hundred_clients_create_run_read_and_delete_and_nothing_is_mixed_up()
    {
        await using var server = await AccessServer.StartAsync(await live.GetAsync());
        var keys = new[] { await server.KeyAsync("alpha"), await server.KeyAsync("beta") };
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            var key = keys[i % 2];
            var sandbox = (await server.SandboxAsync(key)).Value;
            using (var run = await server.SendAsync("POST", $"/v1/sandboxes/{sandbox}/runs", key, $$"""{"code":"open('/workspace/own','w').write('mine-{{i}}-')\nprint('token-{{i}}-')"}""", ("Accept", "application/json")))
            {
                Assert.Contains($"token-{i}-", await run.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            }

            using (var file = await server.SendAsync("GET", $"/v1/sandboxes/{sandbox}/files/content?path=/workspace/own", key))
            {
                Assert.Equal($"mine-{i}-", await file.Content.ReadAsStringAsync());
            }

            using (var foreign = await server.SendAsync("GET", $"/v1/sandboxes/{sandbox}/files/content?path=/workspace/own", keys[1 - (i % 2)]))
            {
                Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
            }

            using var deleted = await server.SendAsync("DELETE", "/v1/sandboxes/" + sandbox, key);
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        }));
        await Eventually.Holds(() => server.Access.Ledger.Of("alpha").Count + server.Access.Ledger.Of("beta").Count == 0, "all of them are gone");
    }
}
