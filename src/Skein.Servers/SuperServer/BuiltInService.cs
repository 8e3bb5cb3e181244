namespace Skein;

/// <summary>The simple protocols that a super-server serves itself. None is there unless it is listed: echo and chargen in the open are abused to attack others.</summary>
public enum BuiltInService
{
    /// <summary>Sends back what it receives (RFC 862).</summary>
    Echo,

    /// <summary>Reads, and answers nothing (RFC 863).</summary>
    Discard,

    /// <summary>Sends lines of characters until the client leaves (RFC 864).</summary>
    Chargen,

    /// <summary>Sends the time as a line of text (RFC 867).</summary>
    Daytime,

    /// <summary>Sends the time as the number of seconds since 1900, in four bytes (RFC 868).</summary>
    Time,
}
