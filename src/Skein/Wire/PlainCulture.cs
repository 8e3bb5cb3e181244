using System.Globalization;
using System.Reflection;

namespace Skein;

/// <summary>A culture travels as its name. One whose formats the program has changed would arrive without the changes, so it is refused.</summary>
static class PlainCulture
{
    /// <summary>The kinds of patterns of which a culture has several, to read dates by.</summary>
    const string PatternKinds = "dDtTy";

    static readonly PropertyInfo[] OfNumbers = Changeable(typeof(NumberFormatInfo));
    static readonly PropertyInfo[] OfDates = Changeable(typeof(DateTimeFormatInfo));

    /// <summary>That a culture can be changed says nothing (a current culture can be): it is compared with a new one of its name.</summary>
    public static string NameOf(CultureInfo culture)
    {
        var plain = culture.UseUserOverride ? new CultureInfo(culture.Name) : CultureInfo.GetCultureInfo(culture.Name);
        return ReferenceEquals(culture, plain) || IsSame(culture, plain)
            ? culture.Name
            : throw new Refusal(culture, typeof(CultureInfo), $"a culture arrives as what '{culture.Name}' means there, and this one was changed: send an unchanged one (CultureInfo.GetCultureInfo), and change it there");
    }

    static bool IsSame(CultureInfo one, CultureInfo other) =>
        one.CompareInfo.Equals(other.CompareInfo) && one.TextInfo.ListSeparator == other.TextInfo.ListSeparator
        && Array.TrueForAll(OfNumbers, property => IsSame(property.GetValue(one.NumberFormat), property.GetValue(other.NumberFormat)))
        && Array.TrueForAll(OfDates, property => IsSame(property.GetValue(one.DateTimeFormat), property.GetValue(other.DateTimeFormat)))
        && PatternKinds.All(kind => one.DateTimeFormat.GetAllDateTimePatterns(kind).SequenceEqual(other.DateTimeFormat.GetAllDateTimePatterns(kind)));

    static bool IsSame(object? one, object? other) => (one, other) switch
    {
        (Array items, Array others) => items.Cast<object>().SequenceEqual(others.Cast<object>()),
        (Calendar calendar, Calendar second) => calendar.GetType() == second.GetType() && calendar.TwoDigitYearMax == second.TwoDigitYearMax,
        _ => Equals(one, other),
    };

    static PropertyInfo[] Changeable(Type format) =>
        Array.FindAll(format.GetProperties(BindingFlags.Instance | BindingFlags.Public), static property => property.CanWrite);
}
