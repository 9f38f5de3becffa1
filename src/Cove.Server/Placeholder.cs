namespace Cove.Server; internal static class Placeholder;
