using System.Net;

namespace Cove.Server.Bounds;

/// <summary>
/// The connections over which no key was shown yet, oldest first. Who has to go when they are too many: of an address that has an eighth of them its own
/// oldest, so that one machine that opens connections without end cuts off itself and nobody who is about to show a key; else the oldest of all.
/// For one caller at a time.
/// </summary>
internal sealed class Strangers(int most)
{
    private readonly LinkedList<HeldConnection> _all = new();
    private readonly Dictionary<IPAddress, LinkedList<HeldConnection>> _networks = [];

    /// <summary>Takes one in; returns the one that has to go for it, which has left.</summary>
    public HeldConnection? Enter(HeldConnection held)
    {
        var own = _networks.GetValueOrDefault(held.Network);
        var leaves = _all.Count < most ? null : own is { First: { } first } && own.Count >= Math.Max(1, most / 8) ? first.Value : _all.First!.Value;
        if (leaves is not null)
        {
            Leave(leaves);
        }

        if (!_networks.TryGetValue(held.Network, out own))
        {
            _networks[held.Network] = own = new LinkedList<HeldConnection>();
        }

        held.Stranger = new Place(_all.AddLast(held), own.AddLast(held));
        return leaves;
    }

    public void Leave(HeldConnection held)
    {
        if (held.Stranger is not { } place)
        {
            return;
        }

        _all.Remove(place.Among);
        var own = place.OfNetwork.List!;
        own.Remove(place.OfNetwork);
        if (own.Count == 0)
        {
            _networks.Remove(held.Network);
        }

        held.Stranger = null;
    }

    /// <summary>Where one stands.</summary>
    internal sealed record Place(LinkedListNode<HeldConnection> Among, LinkedListNode<HeldConnection> OfNetwork);
}
