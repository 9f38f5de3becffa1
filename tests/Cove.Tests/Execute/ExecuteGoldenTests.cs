using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Execute;

/// <summary>Requests and answers as they are on the wire, with the real engine behind them. An answer given as text is compared byte for byte.</summary>
public sealed class ExecuteGoldenTests(LiveEngine engine)
{
    private static readonly string _folder = Path.Combine(SourceTree.Root, "tests", "Cove.Tests", "Golden", "Execute");

    public static TheoryData<string> Cases => [.. Directory.EnumerateFiles(_folder, "*.json").Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task An_answer_is_what_it_always_was(string name)
    {
        var golden = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, name + ".json")))!;
        var (asked, expected) = (golden["request"]!, golden["response"]!);
        await using var server = await FrontDoor.StartAsync(await engine.GetAsync());
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(asked["body"]!.GetValue<string>()));
        body.Headers.TryAddWithoutValidation("Content-Type", asked["content_type"]!.GetValue<string>());
        using var response = await server.Http.PostAsync(asked["path"]!.GetValue<string>(), body);
        var text = await response.Content.ReadAsStringAsync();

        Assert.True(expected["status"]!.GetValue<int>() == (int)response.StatusCode, text);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        if (expected["body"] is JsonValue exact)
        {
            Assert.Equal(exact.GetValue<string>(), text);
        }
        else
        {
            Assert.True(Matches(expected["body"], JsonNode.Parse(text)), $"expected {expected["body"]!.ToJsonString()}\ngot {text}");
        }
    }

    [Fact]
    public async Task The_known_curl_lines_work_as_they_are()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/curl"), "There is no /usr/bin/curl.");
        await using var server = await FrontDoor.StartAsync(await engine.GetAsync());
        var script = (await File.ReadAllTextAsync(Path.Combine(_folder, "curl.sh"))).Replace("YOUR_CLOUD_RUN_URL", server.Address.ToString().TrimEnd('/'), StringComparison.Ordinal);
        using var shell = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var errors = shell.StandardError.ReadToEndAsync();
        var output = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        Assert.True(shell.ExitCode == 0, await errors);
        Assert.Equal("""{"error":"","output":"Hello from Claude!\n","success":true}""", output);
    }

    /// <summary>"*" stands for any text that is not empty; times differ, and in thousandths of a second those of short runs are 0.</summary>
    private static bool Matches(JsonNode? expected, JsonNode? actual) => (expected, actual) switch
    {
        (JsonObject e, JsonObject a) => e.Count == a.Count && e.All(field => a.ContainsKey(field.Key) && (field.Key == "execution_time" ? a[field.Key]!.GetValue<double>() >= 0 : Matches(field.Value, a[field.Key]))),
        (JsonArray e, JsonArray a) => e.Count == a.Count && e.Zip(a).All(pair => Matches(pair.First, pair.Second)),
        (JsonValue e, JsonValue a) when e.ToString() == "*" => a.ToString().Length > 0,
        _ => JsonNode.DeepEquals(expected, actual),
    };
}
