namespace Skein;

/// <summary>What an image has in it of letters: the numbers of the last that were written and have not left, and of the last that came.</summary>
sealed record StoredLetters(Dictionary<string, long>? Written, (string Sender, string ReturnTo, long Number)[]? Had)
{
    public static StoredLetters Of(MobileState state) => new(state.Outbox?.Staying(), state.Letters?.Unsaid);
}
