// Gloo is inside libtorch, but its headers are not among libtorch's. ProcessGroupGloo.hpp includes
// five of them, and needs no more of them than is declared here: we only pass pointers on.
#pragma once
