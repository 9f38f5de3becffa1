namespace Cove.Engine.Doctor.Fixing;

/// <summary>The ordinary user a host is prepared for.</summary>
internal sealed record PreparedUser(uint Id, uint GroupId, string Name)
{
    /// <summary>The control group made for a user at the top of each hierarchy. The engine of that user looks for it by this name.</summary>
    public static string GroupOf(uint user) => $"cove-user-{user}";
}
