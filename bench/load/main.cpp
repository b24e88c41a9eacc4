#include "scripts.hpp"

#include <csignal>
#include <sys/resource.h>

#include <exception>
#include <iostream>
#include <string>

namespace {

using namespace entrepot::load;

void raise_descriptor_limit()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

Statistics run(const Options& options)
{
    switch (options.mode) {
        case Mode::fetch: return play(options.load, fetch_scripts(options.load, options.fetch));
        case Mode::push: return play(options.load, push_scripts(options.load, options.push));
        case Mode::images: return play(options.load, image_scripts(options.load, options.images));
        case Mode::slow_pull: return pull_slowly(options.load, options.slow_pull);
    }
    return {};
}

}  // namespace

// Prints one line of JSON; the exit code is 1 when anything was wrong.
int main(int argc, char** argv)
{
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    const auto options = read_options(argc, argv);
    try {
        auto statistics = run(options);
        std::cout << statistics.json() << std::endl;
        return statistics.errors == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << "load: " << error.what() << '\n';
        return 1;
    }
}
