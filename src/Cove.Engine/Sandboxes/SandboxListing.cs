using System.Buffers.Text;
using System.Buffers.Binary;
using System.Text;

namespace Cove.Engine.Sandboxes;

/// <summary>
/// Picks a page of sandboxes. Pure. A cursor is the place of the last one that was given, not a count, so that what ends between two pages
/// moves nothing.
/// </summary>
internal static class SandboxListing
{
    private const int MaxCursorCharacters = 100;

    /// <summary>Where a page begins: after this one.</summary>
    public readonly record struct Place(long CreatedTicks, string Id);

    /// <summary>Checks every field; the first fault is thrown as <c>invalid_request</c>. Returns what the cursor says.</summary>
    public static Place? Check(SandboxFilter filter)
    {
        if (filter.Limit is < 1 or > 1000)
        {
            throw Refusals.InvalidRequest("limit", filter.Limit, "1 to 1,000");
        }

        foreach (var state in filter.States ?? [])
        {
            if (!Enum.IsDefined(state))
            {
                throw Refusals.InvalidRequest("state", (int)state, "creating, ready, ending or ended");
            }
        }

        if (filter.Metadata is { Count: > 64 } labels)
        {
            throw Refusals.InvalidRequest("metadata", $"{labels.Count} labels", "at most 64");
        }

        return filter.Cursor is not { } cursor ? null : Decode(cursor) ?? throw Refusals.InvalidRequest("cursor", cursor, "the next_cursor of the page before, unchanged");
    }

    /// <summary>The page, oldest first.</summary>
    public static SandboxPage Page(IEnumerable<SandboxInfo> all, SandboxFilter filter, Place? after)
    {
        var found = all.Where(i => Matches(i, filter))
            .Select(i => (Place: Of(i), Info: i))
            .Where(i => after is not { } last || IsAfter(i.Place, last))
            .OrderBy(i => i.Place.CreatedTicks).ThenBy(i => i.Place.Id, StringComparer.Ordinal)
            .Take(filter.Limit + 1)
            .ToArray();
        var page = found.Take(filter.Limit).Select(i => i.Info).ToArray();
        return new SandboxPage(page, found.Length > filter.Limit ? Encode(Of(page[^1])) : null);
    }

    private static bool IsAfter(Place place, Place last) =>
        place.CreatedTicks > last.CreatedTicks || (place.CreatedTicks == last.CreatedTicks && string.CompareOrdinal(place.Id, last.Id) > 0);

    private static bool Matches(SandboxInfo info, SandboxFilter filter) =>
        (filter.States is { } states ? states.Contains(info.State) : info.State != SandboxState.Ended)
        && (filter.Template is null || filter.Template == info.Template)
        && (filter.Metadata is null || filter.Metadata.All(wanted => info.Metadata is { } has && has.TryGetValue(wanted.Key, out var value) && value == wanted.Value));

    private static Place Of(SandboxInfo info) => new(info.CreatedAt.UtcTicks, info.Id.Value);

    private static string Encode(Place place)
    {
        var bytes = new byte[sizeof(long) + place.Id.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, place.CreatedTicks);
        Encoding.ASCII.GetBytes(place.Id, bytes.AsSpan(sizeof(long)));
        return Base64Url.EncodeToString(bytes);
    }

    private static Place? Decode(string cursor)
    {
        Span<byte> bytes = stackalloc byte[MaxCursorCharacters];
        if (cursor.Length > MaxCursorCharacters || !Base64Url.IsValid(cursor) || !Base64Url.TryDecodeFromChars(cursor, bytes, out var count) || count <= sizeof(long))
        {
            return null;
        }

        var id = Encoding.ASCII.GetString(bytes[sizeof(long)..count]);
        return SandboxId.TryParse(id, out _) ? new Place(BinaryPrimitives.ReadInt64BigEndian(bytes), id) : null;
    }
}
