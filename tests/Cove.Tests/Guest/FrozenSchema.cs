using System.Security.Cryptography;
using System.Text.Json;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Guest;

/// <summary>A generation of the protocol never changes once it is out: a paused sandbox may wake under a newer engine.</summary>
public sealed class FrozenSchema
{
    private static readonly string _path = Path.Combine(LiveEngine.Repository, "specs", "guest-gen-1.json");

    [Fact]
    public void Generation_1_is_what_it_was() =>
        Assert.Equal("c2acf5bdaa3c534b07cea5315ddb52494062eda75bfd0006b1ddc219d7911146", Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_path))));

    [Fact]
    public void Generation_2_is_what_it_was() =>
        Assert.Equal("57908c35567cd7dc349799071fe6391098b508cd711f9d8caade1715346c1f24", Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(LiveEngine.Repository, "specs", "guest-gen-2.json")))));

    [Fact]
    public void What_later_generations_need_is_reserved_and_described()
    {
        using var schema = JsonDocument.Parse(File.ReadAllBytes(_path));
        var prose = File.ReadAllText(Path.Combine(LiveEngine.Repository, "specs", "guest-protocol.md"));
        var reserved = schema.RootElement.GetProperty("x-reserved").EnumerateArray().Select(r => r.GetString()!).ToList();
        string[] needed = ["stdin", "resize", "interrupt", "host_call", "host_answer", "quiesce", "rekey", "export", "import", "checkpoint"];
        Assert.Empty(needed.Except(reserved));
        Assert.All(reserved, name => Assert.Contains($"`{name}`", prose, StringComparison.Ordinal));
        Assert.Empty(reserved.Intersect(schema.RootElement.GetProperty("$defs").EnumerateObject().Select(d => d.Name)));
    }
}
