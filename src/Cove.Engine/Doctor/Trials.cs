using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cove.Engine.Doctor;

/// <summary>What guest/python/doctor learned by trying.</summary>
internal sealed record Trials
{
    public required string Python { get; init; }

    /// <summary>Null: a user namespace can be made and used.</summary>
    public string? UserNamespaceError { get; init; }

    public required int LandlockAbi { get; init; }

    public required GroupTrials Cgroup { get; init; }

    /// <summary>Importable name to version; null: not there.</summary>
    public required IReadOnlyDictionary<string, string?> Libraries { get; init; }

    public static async Task<Trials?> RunAsync(DoctorOptions options, IEnumerable<string> libraries, CancellationToken cancellationToken)
    {
        const string Code = "import sys; sys.path.insert(0, sys.argv.pop()); import doctor; doctor.main()";
        var request = JsonSerializer.Serialize(new TrialRequest(options.Backend.DelegatedGroup, [.. libraries]), TrialJson.Default.TrialRequest);
        var guest = Path.Combine(options.Backend.GuestDirectory, "python");
        var said = await Host.RunAsync("/usr/bin/python3", ["-I", "-B", "-c", Code, request, guest], cancellationToken);
        return said is { ExitCode: 0 } ? JsonSerializer.Deserialize(said.Output, TrialJson.Default.Trials) : null;
    }
}

/// <summary>The control groups as the launcher would find them.</summary>
internal sealed record GroupTrials
{
    public required int Version { get; init; }

    /// <summary>Controller (empty: the unified hierarchy) to mount point.</summary>
    public required IReadOnlyDictionary<string, string> Mounts { get; init; }

    public required IReadOnlyDictionary<string, GroupPlace> Places { get; init; }
}

/// <summary>Where groups of one controller would be made, and whether this user may.</summary>
internal sealed record GroupPlace(string Directory, bool Usable);

internal sealed record TrialRequest(string? DelegatedGroup, IReadOnlyList<string> Libraries);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Trials))]
[JsonSerializable(typeof(TrialRequest))]
internal sealed partial class TrialJson : JsonSerializerContext;
