using Cove.Server.Hosting;
using Cove.Server.State;

namespace Cove.Server.Access;

/// <summary>Makes, lists and revokes keys; for the command line and for the first start.</summary>
internal sealed class KeyDesk(KeyTable keys, TimeProvider time)
{
    /// <summary>A new key for a project, which is made when it is missing. The text is told here and never again.</summary>
    public async Task<(ApiKey Key, StoredKey Stored)> CreateAsync(KeyRequest request)
    {
        request.Validate();
        var key = ApiKey.New();
        var stored = Store(key, request);
        await keys.AddAsync(stored);
        return (key, stored);
    }

    private StoredKey Store(ApiKey key, KeyRequest request)
    {
        var now = time.GetUtcNow();
        return new StoredKey
        {
            Id = key.Id,
            Project = request.Project,
            Name = request.Name,
            Hash = key.Hash,
            Scopes = (long)request.Scopes,
            CreatedAt = now,
            ExpiresAt = now + request.Life,
        };
    }

    /// <summary>Sees to it that a key which was made elsewhere is known. One that was revoked stays revoked.</summary>
    public async Task ProvideAsync(string text)
    {
        if (!ApiKey.TryParse(text, out var key))
        {
            throw AccessErrors.Invalid("api_key", "(not shown)", "cove_, 8 characters, _, and 32 characters, all of a-z and 2-9 without l and o, as 'cove keys create' makes them");
        }

        if (await keys.FindAsync(key.Id) is not { } known)
        {
            await keys.AddAsync(Store(key, new KeyRequest { Name = "provided by the environment", Scopes = Scopes.All }));
        }
        else if (!key.Matches(known.Hash))
        {
            throw AccessErrors.Invalid("api_key", "(not shown)", "another one: its public part is that of a different key here");
        }
    }

    public Task<List<StoredKey>> ListAsync(string? project = null) => keys.ListAsync(project);

    /// <summary>Ends a key's life; servers that know it forget it within two seconds. Takes the id, or the key itself.</summary>
    public async Task<StoredKey> RevokeAsync(string idOrKey)
    {
        var id = ApiKey.TryParse(idOrKey, out var whole) ? whole.Id : idOrKey.StartsWith(ApiKey.Prefix, StringComparison.Ordinal) ? idOrKey[ApiKey.Prefix.Length..] : idOrKey;
        var stored = await keys.FindAsync(id) ?? throw AccessErrors.UnknownKey(whole.Text == idOrKey ? id : idOrKey);
        await keys.RevokeAsync(id, time.GetUtcNow());
        return (await keys.FindAsync(id))!;
    }

    public static string Status(StoredKey key, DateTimeOffset now) =>
        key.RevokedAt is not null ? "revoked" : key.ExpiresAt <= now ? "expired" : "active";

    public static IReadOnlyList<string> ScopeNames(long scopes) =>
        [.. new[] { (Scopes.Read, "read"), (Scopes.Write, "write"), (Scopes.Tools, "tools") }.Where(s => ((Scopes)scopes).HasFlag(s.Item1)).Select(s => s.Item2)];
}

/// <summary>Asks for a key.</summary>
internal sealed record KeyRequest
{
    public const string DefaultProject = "default";

    /// <summary>The project it belongs to. Default <c>default</c>; 1 to 40 characters of <c>a-z0-9-</c>.</summary>
    public string Project { get; init; } = DefaultProject;

    /// <summary>What it is for. 1 to 100 printable characters.</summary>
    public required string Name { get; init; }

    /// <summary>What it allows. Default to read and to write.</summary>
    public Scopes Scopes { get; init; } = Scopes.Usual;

    /// <summary>How long it is good for. Default for ever; 1 s to 10 years.</summary>
    public TimeSpan? Life { get; init; }

    public void Validate()
    {
        if (!IsProject(Project))
        {
            throw AccessErrors.Invalid("project", Project, "1 to 40 characters of a-z, 0-9 and -");
        }

        if (Name.Length is < 1 or > 100 || Name.Any(c => char.IsControl(c) || char.IsSurrogate(c)))
        {
            throw AccessErrors.Invalid("name", Name, "1 to 100 printable characters");
        }

        if (Scopes == Scopes.None)
        {
            throw AccessErrors.Invalid("scope", "none", "read, write, tools or several of them");
        }

        if (Life < TimeSpan.FromSeconds(1) || Life > TimeSpan.FromDays(3653))
        {
            throw AccessErrors.Invalid("expires", Life.ToString(), "1 s to 3653 days");
        }
    }

    public static bool IsProject(string text) => text is { Length: >= 1 and <= 40 } && text.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
