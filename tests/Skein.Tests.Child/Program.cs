// A program the tests start, feed, kill. Its first argument says what it does.
return args switch
{
    ["exit", var code] => int.Parse(code, System.Globalization.CultureInfo.InvariantCulture),
    _ => 64,
};
