using System.Text;
using System.Text.Json;
using Cove.Server.Access;
using Cove.Server.State;

namespace Cove.Cli.Commands;

/// <summary>Keys as they are shown.</summary>
internal static class KeyLines
{
    /// <summary>One JSON object; <paramref name="secret"/> is the key itself, known only when it was just made.</summary>
    public static string Json(StoredKey key, DateTimeOffset now, string? secret = null)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", key.Id);
            json.WriteString("project", key.Project);
            json.WriteString("name", key.Name);
            json.WriteStartArray("scopes");
            foreach (var scope in KeyDesk.ScopeNames(key.Scopes))
            {
                json.WriteStringValue(scope);
            }

            json.WriteEndArray();
            json.WriteString("status", KeyDesk.Status(key, now));
            json.WriteString("created_at", key.CreatedAt);
            Time(json, "expires_at", key.ExpiresAt);
            Time(json, "revoked_at", key.RevokedAt);
            Time(json, "last_used_at", key.LastUsedAt);
            if (secret is not null)
            {
                json.WriteString("key", secret);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    public static string Text(StoredKey key, DateTimeOffset now) =>
        $"{key.Id}  {KeyDesk.Status(key, now),-8}  {string.Join(',', KeyDesk.ScopeNames(key.Scopes)),-16}  {key.Project,-16}  {Day(key.CreatedAt)}  {Day(key.ExpiresAt)}  {Day(key.LastUsedAt)}  {key.Name}";

    public static string Head => $"{"id",-8}  {"status",-8}  {"scopes",-16}  {"project",-16}  {"created",-10}  {"expires",-10}  {"last used",-10}  name";

    private static string Day(DateTimeOffset? time) => time is { } at ? at.ToString("yyyy-MM-dd") : "-         ";

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? time)
    {
        if (time is { } at)
        {
            json.WriteString(name, at);
        }
    }
}
