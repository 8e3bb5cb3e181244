using Skein.Tests.Child;

// A program the tests start, feed, kill. Its first argument says what it does.
return args switch
{
    ["exit", var code] => int.Parse(code, System.Globalization.CultureInfo.InvariantCulture),
    _ when !OperatingSystem.IsLinux() => 64,
    ["parent-of", .. var command] => ParentCase.Run(command),
    ["adopter-of", .. var command] => ParentCase.Adopt(command),
    ["spawn-many", var count] => SpawnManyCase.Run(int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    ["exit-code-of", var script] => await ParentCase.ExitCodeOf(script),
    ["channel", var what, var kind, var count, var descriptors, var secret] => await ChannelCase.Run(what, kind, count, descriptors, secret),
    ["group-holder"] => CgroupCase.Hold(),
    ["group-maker"] => CgroupCase.Make(),
    ["pool-parent", var activity] => await PoolParentCase.Run(activity),
    ["portable-parent"] => await PoolParentCase.RunPortable(),
    ["pool-descriptors"] => await PoolUnderLimitsCase.Descriptors(),
    ["pool-full-folder"] => await PoolUnderLimitsCase.FullFolder(),
    ["pools-in-a-row", var count] => await PoolsInARowCase.Run(int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    ["pool-modules"] => await PoolUnderLimitsCase.Modules(),
    ["durable", var kind, var path, var count] => await DurableCase.Run(kind, path, int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    ["parked", var count] => await ParkedCase.Run(int.Parse(count, System.Globalization.CultureInfo.InvariantCulture)),
    ["codec-first"] => await CodecFirstCase.Run(),
    ["mobile"] => await MobileCase.Run(),
    ["node", var name, var folder, var answerLimit] => await NodeCase.Run(name, folder, answerLimit),
    ["far-node", var name, var folder, var peer] => await FarNodeCase.Run(name, folder, peer),
    ["durable-node", var name, var folder, var deadly] => await Correspondence.RunNode(name, folder, deadly),
    ["passed-descriptors"] => PassedCase.WithoutDescriptors(),
    ["echo", .. var words] => NodeCase.Print(words),
    ["last-words"] => NodeCase.LastWords(),
    ["sleep"] => await NodeCase.Sleep(),
    ["kill-own-descendants"] => ParentCase.KillOwnDescendants(),
    _ => 64,
};
