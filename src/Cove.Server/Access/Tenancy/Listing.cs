using System.Globalization;
using System.Text;
using Cove.Server.Hosting;

namespace Cove.Server.Access.Tenancy;

/// <summary>One page of a project's sandboxes, oldest first: the living from the engine, the ended from the database.</summary>
internal sealed class Listing(Ledger ledger, string project, SandboxFilter filter)
{
    private const int BatchRows = 500;
    private const int MaximumBatches = 20;

    public async Task<SandboxPage> PageAsync(CancellationToken cancellationToken)
    {
        if (filter.Limit is < 1 or > 1000)
        {
            throw Problems.Bad("invalid_request", $"The field 'limit' is {filter.Limit}, which is not acceptable.", "Give 1 to 1000.");
        }

        var after = Decode(filter.Cursor);
        var found = await LivingAsync(after, cancellationToken);
        var (ended, scanned) = filter.States?.Contains(SandboxState.Ended) == true ? await EndedAsync(after, [.. found.Select(s => s.Id)]) : ([], null);
        found.AddRange(ended);

        // What lies beyond the last row that was looked at is for the next page, so that none is passed over.
        var page = found.Where(s => scanned is not { } end || Place.Of(s).Order(end) <= 0).OrderBy(s => Place.Of(s).CreatedAt).ThenBy(s => s.Id.Value, StringComparer.Ordinal).Take(filter.Limit + 1).ToList();
        return page.Count > filter.Limit
            ? new SandboxPage(page[..filter.Limit], Encode(Place.Of(page[filter.Limit - 1])))
            : new SandboxPage(page, scanned is { } reached ? Encode(reached) : null);
    }

    private async Task<List<SandboxInfo>> LivingAsync(Place after, CancellationToken cancellationToken)
    {
        var found = new List<SandboxInfo>();
        foreach (var owned in ledger.Of(project))
        {
            try
            {
                var info = await ledger.Engine.GetSandboxAsync(owned.Id, cancellationToken);
                if (Place.Of(info).Order(after) > 0 && Matches(info))
                {
                    found.Add(info);
                }
            }
            catch (CoveException gone) when (gone.Error.Code == "sandbox_not_found")
            {
                // Ended long ago; the database has it in a moment.
            }
        }

        return found;
    }

    /// <summary>The ended ones that match, and the last row that was looked at when there may be more.</summary>
    private async Task<(List<SandboxInfo> Found, Place? Scanned)> EndedAsync(Place after, HashSet<SandboxId> known)
    {
        var found = new List<SandboxInfo>();
        for (var batch = 0; batch < MaximumBatches && found.Count <= filter.Limit; batch++)
        {
            var rows = await ledger.State.Sandboxes.ListEndedAsync(project, after.CreatedAt, after.Id, BatchRows);
            found.AddRange(rows.Where(info => Matches(info) && !known.Contains(info.Id)));
            if (rows.Count < BatchRows)
            {
                return (found, null);
            }

            after = Place.Of(rows[^1]);
        }

        return (found, after);
    }

    private bool Matches(SandboxInfo info) =>
        (filter.States is { } states ? states.Contains(info.State) : info.State != SandboxState.Ended)
        && (filter.Template is null || filter.Template == info.Template)
        && (filter.Metadata is null || filter.Metadata.All(label => info.Metadata?.GetValueOrDefault(label.Key) == label.Value));

    private static string Encode(Place place) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes($"{place.CreatedAt.ToUnixTimeMilliseconds()}.{place.Id}")).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static Place Decode(string? cursor)
    {
        if (cursor is null)
        {
            return new Place(DateTimeOffset.UnixEpoch, "");
        }

        var bytes = new byte[96];
        var text = cursor.Replace('-', '+').Replace('_', '/');
        return text.Length <= 100 && Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), bytes, out var length)
            && Encoding.ASCII.GetString(bytes, 0, length).Split('.') is [var time, var id]
            && long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds < 253_402_300_800_000
            && SandboxId.TryParse(id, out _)
            ? new Place(DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), id)
            : throw Problems.Bad("invalid_request", "The field 'cursor' is none that was given out.", "Give the next_cursor of the page before, or leave it out.");
    }

    /// <summary>A place in the order of all sandboxes: by the millisecond they were made in, as the database keeps it, then by id.</summary>
    private readonly record struct Place(DateTimeOffset CreatedAt, string Id)
    {
        public static Place Of(SandboxInfo info) => new(DateTimeOffset.FromUnixTimeMilliseconds(info.CreatedAt.ToUnixTimeMilliseconds()), info.Id.Value);

        public int Order(Place other) => CreatedAt.CompareTo(other.CreatedAt) is var order and not 0 ? order : string.CompareOrdinal(Id, other.Id);
    }
}
